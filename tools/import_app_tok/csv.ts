// @ts-types="./csv.d.ts"
export { parse } from "@std/csv";
