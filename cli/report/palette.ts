/** Colors of the report by role, for a light and a dark screen. `on-x` is text on x. */
export const PALETTE = {
  light: {
    page: "#f6f7f9",
    surface: "#ffffff",
    inset: "#f0f2f5",
    line: "#d9dde3",
    text: "#1a1f26",
    muted: "#58616d",
    bar: "#d3d9e1",
    "on-bar": "#262d36",
    accent: "#2456c7",
    "on-accent": "#ffffff",
    danger: "#b3261e",
    "on-danger": "#ffffff",
  },
  dark: {
    page: "#0f1216",
    surface: "#171b21",
    inset: "#1f242b",
    line: "#343b45",
    text: "#e7eaee",
    muted: "#a3adb9",
    bar: "#3c4551",
    "on-bar": "#edf0f3",
    accent: "#86aaff",
    "on-accent": "#0d1526",
    danger: "#ff8a80",
    "on-danger": "#2a0906",
  },
} as const;

export type Color = keyof typeof PALETTE.light;

/** Style sheet that defines the colors as variables. The dark ones apply where the reader prefers them. */
export function paletteStyle(): string {
  const { light, dark } = PALETTE;
  return (
    `:root{color-scheme:light dark;${variables(light)}}` +
    `@media (prefers-color-scheme:dark){:root{${variables(dark)}}}`
  );
}

function variables(colors: Readonly<Record<Color, string>>): string {
  return Object.entries(colors)
    .map(([name, value]) => `--${name}:${value};`)
    .join("");
}
