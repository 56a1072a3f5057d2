// A script that fails before it listens.
throw new Error("no configuration");
