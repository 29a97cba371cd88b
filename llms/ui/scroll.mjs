/** Where the reader is. One at the end follows what is being written; one who scrolled up is left there. */

const NEAR = 48; // pixels from the end that still count as there

export function scrollToEnd() {
  scrollTo(0, document.documentElement.scrollHeight);
}

/** Makes a change that may lengthen the page, and stays at its end where the reader was there. */
export function following(/** @type {() => void} */ change) {
  const near = document.documentElement.scrollHeight - innerHeight - scrollY < NEAR;
  change();
  if (near) scrollToEnd();
}
