/* global document, getComputedStyle */
// Runs in the browser. Returns what is wrong with the texts of all drawings of the page: too little contrast, texts
// that overlap, texts that leave the drawing. axe-core does not check texts in SVG.
(() => {
  const LEAST_CONTRAST = 4.5;
  const isInside = (x, y, box) => x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
  const channels = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);

  function luminance(color) {
    const [red, green, blue] = channels(color).map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  function contrast(one, other) {
    const [light, dark] = [luminance(one), luminance(other)].sort((first, second) => second - first);
    return (light + 0.05) / (dark + 0.05);
  }

  /** Color of the shape that was drawn last below the middle of the text, or of the page. */
  function backgroundOf(text, svg) {
    const box = text.getBoundingClientRect();
    const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    const below = [...svg.querySelectorAll("rect")].filter(
      (rect) => rect.compareDocumentPosition(text) & 4 && isInside(x, y, rect.getBoundingClientRect()),
    );
    const shape = below.at(-1);
    if (shape) return getComputedStyle(shape).fill;
    for (let element = svg; element; element = element.parentElement) {
      const color = getComputedStyle(element).backgroundColor;
      if (channels(color)[3] !== 0) return color;
    }
    return "rgb(255, 255, 255)";
  }

  function overlaps(one, other) {
    const [first, second] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
    const width = Math.min(first.right, second.right) - Math.max(first.left, second.left);
    const height = Math.min(first.bottom, second.bottom) - Math.max(first.top, second.top);
    return width > 0.5 && height > 2; // the boxes of lines are higher than their letters
  }

  const problems = [];
  for (const svg of document.querySelectorAll("svg")) {
    const texts = [...svg.querySelectorAll("text")];
    const frame = svg.getBoundingClientRect();
    texts.forEach((text, index) => {
      const name = `"${text.textContent}"`;
      const ratio = contrast(getComputedStyle(text).fill, backgroundOf(text, svg));
      if (ratio < LEAST_CONTRAST) problems.push(`${name} has a contrast of ${ratio.toFixed(1)}`);
      const box = text.getBoundingClientRect();
      if (!isInside(box.left, box.top, frame) || !isInside(box.right, box.bottom, frame))
        problems.push(`${name} leaves the drawing`);
      for (const other of texts.slice(index + 1))
        if (overlaps(text, other)) problems.push(`${name} overlaps "${other.textContent}"`);
    });
  }
  return problems;
})();
