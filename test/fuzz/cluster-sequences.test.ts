// Random lives of a cluster in memory; see cluster-sequence.ts. A failure prints its seed and its steps.
import { runClusterSequence } from "./cluster-sequence.ts";
import { fuzzSuite } from "./suite.ts";

describe("cluster: fuzzing", () => fuzzSuite(500, runClusterSequence));
