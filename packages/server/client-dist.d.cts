/** The folder of the client files. */
export declare function clientDist(): string;
