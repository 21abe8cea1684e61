/**
 * Whether a text fits a pattern in which `*` stands for any characters and `?` for one. Case counts.
 * It takes at most as many steps as the two lengths multiplied.
 */
export function fitsGlob(pattern: string, text: string): boolean {
  const signs = [...pattern]
  const characters = [...text]
  let sign = 0
  let star = -1
  let afterStar = 0
  for (let at = 0; at < characters.length; ) {
    if (signs[sign] === '*') {
      star = sign
      afterStar = at
      sign += 1
    } else if (signs[sign] === '?' || (sign < signs.length && signs[sign] === characters[at])) {
      sign += 1
      at += 1
    } else if (star !== -1) {
      // The last star takes one character more.
      sign = star + 1
      afterStar += 1
      at = afterStar
    } else {
      return false
    }
  }
  return signs.slice(sign).every((rest) => rest === '*')
}
