// A server on the package ws that takes part in the conversation of tests/interop. The words both
// ends agree on come as JSON on the command line. It prints its port, then one line of JSON for each
// connection that has ended: code and reason of the CLOSE it got.
"use strict";

const {WebSocketServer} = require("ws");

const words = JSON.parse(process.argv[2]);
const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  perMessageDeflate: words.compressed && {threshold: 0},
});

function sendFragments(socket, fragments) {
  fragments.forEach((fragment, i) => socket.send(fragment, {fin: i + 1 === fragments.length}));
}

server.on("listening", () => console.log(server.address().port));
server.on("connection", (socket) => {
  socket.on("message", (data, isBinary) => {
    const text = isBinary ? "" : data.toString();
    if (text === words.askClose) socket.close(...words.serverClose);
    else if (text === words.askPing) socket.ping(Buffer.from(words.serverPing, "hex"));
    else if (text === words.askFragments) sendFragments(socket, words.serverFragments);
    else socket.send(data, {binary: isBinary});
  });
  socket.on("pong", (data) => socket.send(words.pongReport + data.toString("hex")));
  socket.on("close", (code, reason) => {
    console.log(JSON.stringify([code, reason.toString()]));
  });
  socket.on("error", (error) => console.error(error));
});
