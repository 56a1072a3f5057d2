/** The folder of the client files; `undefined` if there is none, as for a bundle that stands alone. */
export declare function clientDist(): string | undefined;
