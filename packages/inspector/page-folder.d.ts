/** The folder of the files of the page. */
export declare const pageFolder: string;
