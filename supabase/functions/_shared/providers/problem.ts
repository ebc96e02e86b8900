/** What is wrong with a definition, as a sentence. */
export type Problem = string;

export function when(wrong: unknown, sentence: Problem): Problem[] {
  return wrong ? [sentence] : [];
}
