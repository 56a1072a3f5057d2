// Takes one image from the file dialog, the clipboard or a drop, and keeps it until the message is sent.
import { byId, size } from "./view.js";

const TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

export class ImagePicker {
  /** The largest image that the server accepts, in bytes. */
  largest = 2_000_000;
  #picked;
  #preview = "";

  constructor() {
    const input = byId("file");
    input.addEventListener("change", () => {
      void this.#pick(input.files[0]);
      input.value = "";
    });
    byId("unpick").addEventListener("click", () => {
      this.take();
      byId("text").focus();
    });
    byId("text").addEventListener("paste", (event) => {
      const file = [...event.clipboardData.files].find(({ type }) => type.startsWith("image/"));
      if (!file) return;
      event.preventDefault();
      void this.#pick(file);
    });
    this.#acceptDrops(byId("talk"));
  }

  /** Takes the image with its bytes; undefined if there is none. */
  take() {
    const picked = this.#picked;
    this.#picked = undefined;
    byId("picked").hidden = true;
    byId("picked-image").removeAttribute("src");
    if (this.#preview) URL.revokeObjectURL(this.#preview);
    this.#preview = "";
    return picked;
  }

  async #pick(file) {
    if (!file) return;
    this.take();
    const problem = byId("composer-error");
    problem.textContent = "";
    if (!TYPES.includes(file.type)) {
      problem.textContent = "Only PNG, JPEG, GIF and WebP images can be sent.";
    } else if (file.size > this.largest) {
      problem.textContent = `This image has ${size(file.size)}; at most ${size(this.largest)} can be sent.`;
    } else {
      this.#picked = { type: file.type, name: file.name || "pasted image", data: await file.arrayBuffer() };
      this.#preview = URL.createObjectURL(file);
      byId("picked-image").src = this.#preview;
      byId("picked-name").textContent = `${this.#picked.name}, ${size(file.size)}`;
      byId("picked").hidden = false;
      byId("text").focus();
    }
  }

  #acceptDrops(area) {
    let depth = 0;
    const mark = (change) => {
      depth = Math.max(0, depth + change);
      area.classList.toggle("dropping", depth > 0);
    };
    const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
    area.addEventListener("dragenter", (event) => carriesFiles(event) && mark(1));
    area.addEventListener("dragleave", (event) => carriesFiles(event) && mark(-1));
    area.addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
    area.addEventListener("drop", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      mark(-depth);
      void this.#pick(event.dataTransfer.files[0]);
    });
  }
}
