// A headless Chromium over its debugging pipe: opens pages, runs functions in them, takes pictures of them. It asserts nothing.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FLAGS = ['--headless', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars', '--no-first-run', '--remote-debugging-pipe'];
const PATIENCE = 60_000;

export async function browser(executable = process.env.CHROMIUM ?? 'chromium') {
  const profile = mkdtempSync(join(tmpdir(), 'cx-browser-'));
  const flags = [...FLAGS, `--user-data-dir=${profile}`, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])];
  const process_ = spawn(executable, [...flags, 'about:blank'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => process_.once('exit', resolve).once('error', resolve));
  const [, , , input, output] = process_.stdio;
  const waiting = new Map();
  const heard = new Set();
  let last = 0;
  let rest = '';
  output.setEncoding('utf8').on('data', (chunk) => {
    const messages = (rest + chunk).split('\0');
    rest = messages.pop();
    for (const message of messages.map((text) => JSON.parse(text))) {
      const { resolve, reject } = waiting.get(message.id) ?? {};
      waiting.delete(message.id);
      if (message.error) reject?.(new Error(message.error.message));
      else if (message.id) resolve?.(message.result);
      else heard.forEach((hear) => hear(message));
    }
  });
  ended.then((code) => waiting.forEach(({ reject }) => reject(new Error(`${executable} ended: ${code}`))));

  const within = (promise, what) => {
    let timer;
    const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`the browser did not answer: ${what}`)), PATIENCE)));
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
  };
  const send = (method, params = {}, sessionId = undefined) => {
    const id = ++last;
    const answer = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
    input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return within(answer, method);
  };

  /** A page that prefers light or dark, and shows what is at an address. */
  async function open(url, { scheme = 'light', width = 1600, height = 1000 } = {}) {
    const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
    const ask = (method, params) => send(method, params, sessionId);
    await ask('Page.enable');
    await ask('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
    await ask('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
    const loaded = new Promise((resolve) => {
      const hear = (message) => message.sessionId === sessionId && message.method === 'Page.loadEventFired' && (heard.delete(hear), resolve());
      heard.add(hear);
    });
    const { errorText } = await ask('Page.navigate', { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    await within(loaded, url);
    return {
      async run(f, ...args) {
        const expression = `(${f})(...${JSON.stringify(args)})`;
        const { result, exceptionDetails } = await ask('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
        if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        return result.value;
      },
      /** A PNG of the whole page or of a part of it. */
      async picture(clip = { x: 0, y: 0, width, height }, scale = 1) {
        const { data } = await ask('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true, clip: { ...clip, scale } });
        return Buffer.from(data, 'base64');
      },
      close: () => send('Target.closeTarget', { targetId }),
    };
  }

  async function close() {
    await send('Browser.close').catch(() => process_.kill());
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
  return { open, close };
}
