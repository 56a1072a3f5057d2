// A script that runs and never listens.
setInterval(() => {}, 1000);
process.stdout.write("runs\n");
