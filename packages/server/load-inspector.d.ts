/** Loads `@tidewire/inspector`; rejects if it is not installed. */
export declare function loadInspector(): Promise<unknown>;
