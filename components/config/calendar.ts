const DAY = "(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*";
const DAYS = `${DAY}(?:(?:,|\\.\\.)${DAY})*,?`;
const NUMBERS = String.raw`[\d*][\d*,./~]*`;
const DATE = `(?:${NUMBERS}-)?${NUMBERS}[-~]${NUMBERS}`;
const TIME = `${NUMBERS}:${NUMBERS}(?::${NUMBERS})?`;
const NAMES = "minutely|hourly|daily|weekly|monthly|quarterly|semiannually|yearly|annually";
const ZONE = String.raw`UTC|[a-z]+(?:/[\w+-]+)+`;

const CALENDAR = new RegExp(
  `^(?:${NAMES}|${DAYS}(?: ${DATE})?(?: ${TIME})?|${DATE}(?: ${TIME})?|${TIME})(?: (?:${ZONE}))?$`,
  "i",
);

/**
 * Whether a text has the form of a calendar of systemd: `daily`, `Mon..Fri 03:00`, `*-*-01 03:00 UTC`.
 * https://www.freedesktop.org/software/systemd/man/latest/systemd.time.html#Calendar%20Events
 */
export function isCalendar(text: string): boolean {
  return CALENDAR.test(text);
}
