// `npm run docs:build`: builds the site into docs/.vitepress/dist. With `--if-stale`, only if something has changed.
import { buildSite, isUpToDate } from "./build-site.ts";

if (!process.argv.includes("--if-stale") || !isUpToDate()) {
  try {
    await buildSite();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
