import { fileURLToPath } from "node:url";

/** The repository. */
export const root: string = fileURLToPath(new URL("../../", import.meta.url));
/** The pages. */
export const docs: string = fileURLToPath(new URL("../", import.meta.url));
/** The generated pages of the API reference. */
export const reference: string = fileURLToPath(new URL("../api/", import.meta.url));
/** The built site. */
export const dist: string = fileURLToPath(new URL("../.vitepress/dist/", import.meta.url));
