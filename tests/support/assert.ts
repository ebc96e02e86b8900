// The npm build of Deno std carries no types; these declarations give the assertions theirs.
// @ts-types="./assert.d.ts"
export * from "@std/assert";
