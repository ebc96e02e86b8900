/**
 * Gets a Chromium without being root: one that npm carries, with the few libraries it needs, unpacked into the
 * temporary folder where the tests look. Linux on x64.
 *
 *   deno run -A --node-modules-dir=none --no-lock lab/browser/get_chromium.ts
 */

/** Not an import that every checkout resolves: 68 MB, wanted only by whoever runs this. */
const PACKAGE = "npm:@sparticuz/chromium@153.0.0";

// The package brings its libraries along only where it believes to be on AWS Lambda.
Deno.env.set("AWS_EXECUTION_ENV", "AWS_Lambda_nodejs22.x");
const { default: chromium } = await import(PACKAGE);
console.log(`Chromium is at ${await chromium.executablePath()}`);
