import "./engine-polling.ts";
