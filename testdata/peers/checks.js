// The checks of a client with the WebSocket API of browsers. A page loads this
// file, and client.js does, with ws in place of a browser.

// A Connection keeps what has come until it is asked for.
class Connection {
  constructor(url, protocols = []) {
    this.socket = new WebSocket(url, protocols);
    this.socket.binaryType = 'arraybuffer';
    this.received = [];
    this.pings = [];
    this.pongs = [];
    this.arrived = () => {};
    this.socket.onmessage = (event) => {
      this.received.push(event.data);
      this.arrived();
    };
    this.opened = new Promise((resolve, reject) => {
      this.socket.onopen = resolve;
      this.socket.onerror = () => reject(new Error('not opened'));
    });
    this.closed = new Promise((resolve) => {
      this.socket.onclose = ({ code, reason }) => resolve({ code, reason });
    });
  }

  // has waits until something has come that is enough for the condition, and
  // stops waiting when the connection ends.
  async has(condition) {
    let open = true;
    this.closed.then(() => { open = false; this.arrived(); });
    while (open && !condition()) {
      await new Promise((resolve) => { this.arrived = resolve; });
    }
  }

  send(message) { this.socket.send(message); }

  messages(count) { return this.has(() => this.received.length >= count); }

  async close(code, reason) {
    this.socket.close(code, reason);
    await this.closed;
  }

  // facts is what the program prints of the connection, which has ended.
  async facts() {
    const { code, reason } = await this.closed;
    const messages = await Promise.all(this.received.map(describe));
    const { protocol } = this.socket;
    return { messages, pings: this.pings, pongs: this.pongs, code, reason, protocol };
  }
}

async function describe(data) {
  const text = typeof data === 'string';
  const bytes = text ? new TextEncoder().encode(data) : new Uint8Array(data);
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const hex = Array.from(sum, (b) => b.toString(16).padStart(2, '0')).join('');
  return { type: text ? 'text' : 'binary', size: bytes.length, sha256: hex };
}

// series counts up and starts anew after period.
function series(size, period) {
  return Uint8Array.from({ length: size }, (_, i) => i % period);
}

// echo sends messages and waits for as many.
async function echo(connection, ...messages) {
  messages.forEach((message) => connection.send(message));
  await connection.messages(messages.length);
  await connection.close(1000);
}

// receive waits for one message.
async function receive(connection) {
  await connection.messages(1);
  await connection.close(1000);
}

// The checks: the path of the URL, and what is done there.
const checks = {
  'text': ['/echo', (c) => echo(c, 'Grüße, 世界 🌍')],
  'binary': ['/echo', (c) => echo(c, series(256, 256))],
  'empty': ['/echo', (c) => echo(c, '', new Uint8Array(0))],
  '1 MiB': ['/echo', (c) => echo(c, series(2 ** 20, 251))],
  'fragments from Tandem': ['/fragments', receive],
  'ping from Tandem': ['/ping', receive],
  'pong from Tandem': ['/pong', receive],
  'close from Tandem': ['/close', (c) => c.closed],
  'close from the peer': ['/watch', (c) => c.close(4002, 'the peer has finished ✓')],
};

// Those that are recorded on the wire, which takes another address.
const recorded = ['fragments from Tandem', 'fragments from the peer', 'pong from Tandem', 'pong from the peer'];

// run performs one check. watch may listen to more than the API shows.
async function run(check, base, watch = () => {}) {
  const [path, act, protocols] = checks[check];
  try {
    const connection = new Connection(base + path, protocols);
    watch(connection);
    await connection.opened;
    await act(connection);
    return { check, ...await connection.facts() };
  } catch (error) {
    return { check, error: String(error) };
  }
}

globalThis.peer = { checks, recorded, run, echo };
