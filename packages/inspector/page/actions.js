import { el, fill, get, setText } from "./dom.js";

/** What a person reads instead of a code. */
const explained = {
  READ_ONLY: "This inspector is read-only.",
  NOT_FOUND: "It is not there any more.",
  RESERVED_EVENT: "This name is reserved: no application may emit it.",
  ACK_TIMEOUT: "No answer within 5 seconds.",
};

/** What the page can do to clients, and the dialogs that ask what exactly. */
export class Actions {
  #page;
  #emit = get("emit");
  #confirm = get("confirm");
  #target = {};
  #wanted;

  constructor(page) {
    this.#page = page;
    for (const dialog of [this.#emit, this.#confirm]) {
      dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
      // A click on the backdrop.
      dialog.addEventListener("click", (event) => {
        if (event.target === dialog) dialog.close();
      });
    }
    this.#emit.querySelector("form").addEventListener("submit", () => void this.#send());
    this.#confirm.querySelector("form").addEventListener("submit", () => void this.#do());
  }

  /** Does it at once; returns what is to be said about it. */
  async act(action) {
    try {
      const { answer } = await this.#page.ask("act", action);
      return { ok: true, text: answer === undefined ? "Done." : `Answer: ${answer}` };
    } catch ({ code, message }) {
      return { ok: false, text: explained[code] ?? message };
    }
  }

  /** Asks what to emit. Without a namespace, it asks for that, too. */
  emit({ title, ...target }) {
    this.#target = target;
    const form = this.#emit.querySelector("form");
    setText(get("emit-target"), `To ${title}`);
    const asks = target.namespace === undefined;
    get("emit-namespace-label").hidden = !asks;
    if (asks) {
      const names = this.#page.namespaces.map(({ name }) => name);
      fill(form.elements.namespace, names, () => names.map((name) => el("option", { value: name }, name)));
    }
    get("emit-ack-label").hidden = target.socket === undefined;
    this.#say(get("emit-outcome"), { ok: true, text: "" });
    this.#emit.showModal();
    form.elements.event.focus();
  }

  async #send() {
    const { event, args, ack, namespace } = this.#emit.querySelector("form").elements;
    const outcome = get("emit-outcome");
    let list;
    try {
      list = JSON.parse(args.value || "[]");
    } catch ({ message }) {
      return this.#say(outcome, { ok: false, text: message });
    }
    if (!Array.isArray(list)) list = [list];
    if (event.value === "") return this.#say(outcome, { ok: false, text: "An event needs a name." });
    const target = { namespace: namespace.value, ...this.#target };
    const asks = ack.checked && target.socket !== undefined;
    this.#say(outcome, { ok: true, text: asks ? "Waiting for the answer …" : "" });
    this.#say(
      outcome,
      await this.act({ type: "emit", ...target, event: event.value, args: list, ack: asks }),
    );
  }

  /** Asks whether it is meant. */
  confirm({ title, text, yes, action }) {
    this.#wanted = action;
    setText(get("confirm-title"), title);
    setText(get("confirm-text"), text);
    setText(get("confirm-yes"), yes);
    this.#say(get("confirm-outcome"), { ok: true, text: "" });
    this.#confirm.showModal();
  }

  async #do() {
    const outcome = await this.act(this.#wanted);
    if (outcome.ok) this.#confirm.close();
    else this.#say(get("confirm-outcome"), outcome);
  }

  #say(place, { ok, text }) {
    setText(place, text);
    place.classList.toggle("error", !ok);
  }
}
