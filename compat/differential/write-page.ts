// `npm run docs:differences`: writes docs/differences.md.
import { writeFileSync } from "node:fs";
import { pageFile, readDifferences, renderPage } from "./page.ts";

writeFileSync(pageFile, renderPage(readDifferences()));
