/** Setup file of the suites: an interrupted worker goes on, to run the hooks that clean up. */
process.on("SIGINT", () => undefined);
