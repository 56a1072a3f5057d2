// Random lives of an engine in memory; see sequence.ts. A failure prints its seed and its steps.
import { runSequence } from "./sequence.ts";
import { fuzzSuite } from "./suite.ts";

describe("engine: fuzzing", () => fuzzSuite(1000, runSequence));
