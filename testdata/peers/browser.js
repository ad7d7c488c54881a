// The checks of a client in a browser: page.html, loaded from the server that
// is checked, so that its own origin connects.
//
// node browser.js chromium|firefox PROGRAM URL RECORDED_URL

// launch starts a browser without a window and with a profile of its own.
const launch = {
  chromium: (executablePath) => require('playwright-core').chromium.launch({
    executablePath,
    headless: true,
    // The sandbox cannot be had as root. The rest keeps the browser from
    // connecting anywhere else.
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  }),
  firefox: (executablePath) => require('puppeteer-core').launch({
    browser: 'firefox', // over WebDriver BiDi
    executablePath,
    headless: true,
  }),
};

// inPage performs the checks that the page has, of those that are recorded or
// of the others.
async function inPage(page, url, ofRecorded) {
  await page.goto(url);
  const names = await page.evaluate((ofRecorded) => {
    const { checks, recorded } = globalThis.peer;
    return Object.keys(checks).filter((check) => recorded.includes(check) === ofRecorded);
  }, ofRecorded);
  for (const name of names) {
    const result = await page.evaluate(
      (name) => globalThis.peer.run(name, location.origin.replace('http', 'ws')), name);
    console.log(JSON.stringify(result));
  }
}

// anotherOrigin has the page, which is on 127.0.0.1, connect to localhost. That
// is the same server and not the same origin.
async function anotherOrigin(page) {
  const result = await page.evaluate(() => {
    const { checks, run } = globalThis.peer;
    checks['another origin'] = ['/echo?origin', (c) => c.close(1000)];
    return run('another origin', `ws://localhost:${location.port}`);
  });
  console.log(JSON.stringify(result));
}

async function main(name, program, url, recordedURL) {
  const browser = await launch[name](program);
  try {
    console.log(JSON.stringify({ version: `${name} ${await browser.version()}` }));
    const page = await browser.newPage();
    await inPage(page, url, false);
    await inPage(page, recordedURL, true);
    await anotherOrigin(page);
  } finally {
    await browser.close();
  }
}

main(...process.argv.slice(2));
