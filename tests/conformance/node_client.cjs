// Talks with an echo server through the package ws, and prints what it saw, as JSON.
// It judges nothing but whether an echo is what was sent; the test does the rest.
"use strict";

const WebSocket = require("ws");

const SIZES = [0, 1, 125, 126, 65535, 65536, 1 << 20];

function messages() {
  const texts = SIZES.map((size) => "x".repeat(size));
  const binaries = SIZES.map((size) => Buffer.from(Array.from({length: size}, (_, i) => i % 251)));
  return [...texts, "žluťoučký kůň 😀 \u0000 end", ...binaries];
}

function same(sent, [data, isBinary]) {
  return isBinary === (typeof sent !== "string") && Buffer.from(sent).equals(data);
}

// One connection: its events as promises.
class Connection {
  constructor(url) {
    this.socket = new WebSocket(url, ["chat", "echo"]);
    this.received = [];
    this.wake = () => {};
    this.socket.on("message", (...event) => { this.received.push(event); this.wake(); });
    this.opened = new Promise((resolve, reject) => {
      this.socket.on("open", resolve);
      this.socket.on("error", reject);
    });
    this.closed = new Promise((resolve) => {
      this.socket.on("close", (code, reason) => resolve({code, reason: reason.toString()}));
    });
    this.closed.then(() => { this.over = true; this.wake(); });
  }

  async receive() {
    while (this.received.length === 0) {
      if (this.over) throw new Error("closed while waiting for a message");
      await new Promise((resolve) => { this.wake = resolve; });
    }
    return this.received.shift();
  }
}

async function echo(connection) {
  const sent = messages();
  const wrong = [];
  for (const [number, message] of sent.entries()) {  // one after the other
    connection.socket.send(message);
    if (!same(message, await connection.receive())) wrong.push(number);
  }
  for (const message of sent) connection.socket.send(message);  // and all at once
  for (const [number, message] of sent.entries()) {
    if (!same(message, await connection.receive())) wrong.push(number);
  }
  for (const message of sent) {  // in two fragments, with a ping between them
    const whole = Buffer.from(message);
    const middle = whole.length >> 1;
    const binary = typeof message !== "string";
    connection.socket.send(whole.subarray(0, middle), {binary, fin: false});
    connection.socket.ping("between");
    connection.socket.send(whole.subarray(middle), {binary, fin: true});
  }
  for (const [number, message] of sent.entries()) {
    if (!same(message, await connection.receive())) wrong.push(number);
  }
  return {echoed: 3 * sent.length, wrong};
}

async function main(url) {
  const connection = new Connection(url);
  await connection.opened;
  const pong = new Promise((resolve) => {
    connection.socket.once("pong", (data) => resolve(data.toString()));
  });
  connection.socket.ping("píng");
  const result = {
    protocol: connection.socket.protocol,
    extensions: connection.socket.extensions,
    pong: await pong,
    ...await echo(connection),
  };
  connection.socket.close(4001, "na viděnou 😀");
  result.closed = await connection.closed;

  const second = new Connection(url);
  await second.opened;
  second.socket.send("please close");
  result.closedByServer = await second.closed;

  const third = new Connection(url);
  await third.opened;
  third.socket.close();
  result.closedWithoutCode = await third.closed;
  console.log(JSON.stringify(result));
}

main(process.argv[2]).catch((error) => {
  console.log(JSON.stringify({error: String(error)}));
  process.exitCode = 1;
});
