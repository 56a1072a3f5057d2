// The events of the demo on the start page.

/** A measurement of the tide gauge. */
export interface Level {
  /** Counts the measurements. */
  at: number;
  /** in metres */
  height: number;
}

export interface Said {
  text: string;
  /** The beginning of the sender's socket id. */
  from: string;
}

export interface ServerEvents {
  /** Every {@link INTERVAL}, to everybody. */
  level: (level: Level) => void;
  /** On each connection: the number of the newest measurement, and earlier ones for those who cannot have them. */
  welcome: (newest: number, levels: Level[]) => void;
  said: (message: Said) => void;
}

export interface ClientEvents {
  say: (text: string, done: (isSent: boolean) => void) => void;
  /** Asks the server to cut the connection. */
  cut: () => void;
  pulse: (done: () => void) => void;
}

/** The time between two measurements, in ms. */
export const INTERVAL = 500;

/** How many measurements the page shows. */
export const SHOWN = 60;

/** The longest message. */
export const LONGEST = 120;
