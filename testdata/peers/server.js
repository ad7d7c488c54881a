// A WebSocket server with the library ws. It serves the paths that README.md
// lists and prints what it sees, one JSON object a line.

const { WebSocketServer } = require('ws');
const { version } = require('ws/package.json');

function say(facts) {
  process.stdout.write(JSON.stringify(facts) + '\n');
}

// What the server does on each path, beside answering pings.
const paths = {
  '/echo': (ws) => ws.on('message', (data, binary) => ws.send(data, { binary })),
  '/fragments': (ws) => {
    ws.send('frag', { fin: false });
    ws.send('men', { fin: false });
    ws.send('ted', { fin: true });
  },
  '/ping': (ws) => {
    ws.on('pong', (payload) => {
      if (payload.toString() === 'from the peer') ws.send('pong received');
    });
    ws.ping('from the peer');
  },
  '/pong': (ws) => {
    ws.pong('heartbeat');
    ws.send('pong sent');
  },
  '/close': (ws, query) => ws.close(Number(query.get('code')), query.get('reason')),
};

// All messages are compressed, or none.
const perMessageDeflate = process.argv.includes('compressed') && { threshold: 0 };
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate });

server.on('connection', (ws, request) => {
  const url = new URL(request.url, 'ws://localhost');
  const id = url.searchParams.get('id');
  ws.on('ping', (payload) => say({ id, event: 'ping', payload: payload.toString() }));
  ws.on('pong', (payload) => say({ id, event: 'pong', payload: payload.toString() }));
  ws.on('close', (code, reason) => say({ id, event: 'close', code, reason: reason.toString() }));
  paths[url.pathname](ws, url.searchParams);
});

server.on('listening', () => {
  say({ port: server.address().port, version: `ws ${version}, Node.js ${process.version}` });
});
