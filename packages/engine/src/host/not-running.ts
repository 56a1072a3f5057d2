/** Creates the error with which servers of Node call back when they are closed though they do not run. */
export function serverNotRunning(): Error {
  return Object.assign(new Error("Server is not running."), { code: "ERR_SERVER_NOT_RUNNING" });
}
