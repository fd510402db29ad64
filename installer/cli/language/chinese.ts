/** Chinese on a terminal: its characters take two columns, and a line may end after nearly each of them. */
import { eastAsianWidth } from "get-east-asian-width";
import { type Catalogue, translator } from "./catalogue.ts";
import type { Language } from "./language.ts";

export function chinese(catalogue: Catalogue): Language {
  return { say: translator(catalogue), columnsOf, piecesOf };
}

const escapes = /\x1b\[\d+m/g;
const closing = "，。、；：！？）」』》】";
const opening = "（「『《【";

function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text.replaceAll(escapes, "")) columns += eastAsianWidth(character.codePointAt(0) ?? 0);
  return columns;
}

/** No line begins with a punctuation mark that closes, and none ends with one that opens. */
function piecesOf(line: string): readonly string[] {
  const pieces: string[] = [];
  let last = "";
  for (const character of line) {
    const between = !/\s/.test(last) && (/\s/.test(character) || isWide(character) || isWide(last));
    const isKept = closing.includes(character) || (last !== "" && opening.includes(last));
    if (last === "" || (between && !isKept)) pieces.push(character);
    else pieces.push((pieces.pop() ?? "") + character);
    last = character;
  }
  return pieces;
}

function isWide(character: string): boolean {
  return character !== "" && eastAsianWidth(character.codePointAt(0) ?? 0) === 2;
}
