/**
 * Runs in the browser, as it stands. It adds what the page can do without: copy buttons, the reader's own time zone, and
 * news without a reload. New content is parsed without running anything, and only what differs is exchanged: focus,
 * selection and opened details stay where they are.
 */
export const SCRIPT = `(() => {
  'use strict';
  const root = document.documentElement;
  const news = document.getElementById('news');
  const link = document.getElementById('link');
  const find = () => document.querySelector('main');
  const text = (node) => (node ? node.textContent.replace(/\\s+/g, ' ').trim() : '');
  let pristine = find().cloneNode(true);
  let misses = 0;
  let busy = false;
  let timer = 0;

  const say = (words) => {
    news.textContent = '';
    setTimeout(() => { news.textContent = words; }, 50);
  };

  // The reader's own time.
  const styles = {
    moment: { weekday: 'long', day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' },
    clock: { hour: '2-digit', minute: '2-digit' },
  };
  const localize = () => {
    for (const one of document.querySelectorAll('time[data-style]')) {
      const words = new Intl.DateTimeFormat('en-GB', styles[one.dataset.style]).format(new Date(one.dateTime));
      if (one.textContent !== words) one.textContent = words;
    }
  };

  // Copying.
  const select = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  };
  const copy = async (node) => {
    try {
      await navigator.clipboard.writeText(node.textContent);
      return true;
    } catch {
      // No permission, or no clipboard on a page without TLS.
      select(node);
      try { return document.execCommand('copy'); } catch { return false; }
    }
  };
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('button[data-copy]');
    const source = button && document.getElementById(button.dataset.copy);
    if (!source) return;
    const done = await copy(source);
    say(button.dataset.what + (done ? ' copied.' : ' selected. Copy it with your keyboard or menu.'));
    if (!done) return;
    const label = button.querySelector('.label');
    label.textContent = 'Copied';
    button.classList.add('copied');
    clearTimeout(button.timer);
    button.timer = setTimeout(() => { label.textContent = 'Copy'; button.classList.remove('copied'); }, 2000);
  });

  // News. live is what the reader has, old what the server sent before, next what it sends now.
  const exchange = (live, old, next) => {
    if (old.isEqualNode(next)) return;
    const alike = next.nodeType === 1 && live.nodeName === next.nodeName && old.nodeName === next.nodeName &&
      live.id === next.id && live.childNodes.length === old.childNodes.length &&
      old.childNodes.length === next.childNodes.length;
    if (!alike) {
      live.replaceWith(document.importNode(next, true));
      return;
    }
    for (const { name } of old.attributes) if (!next.hasAttribute(name)) live.removeAttribute(name);
    for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) live.setAttribute(name, value);
    [...live.childNodes].forEach((child, at) => exchange(child, old.childNodes[at], next.childNodes[at]));
  };
  const difference = (old, next) => {
    const top = (main) => text(main.querySelector('h1')) + '. ' + text(main.querySelector('.sentence'));
    if (top(old) !== top(next)) return top(next);
    const badges = (main) => [...main.querySelectorAll('.record')].map((one) => text(one.querySelector('header')));
    const before = badges(old);
    return badges(next).filter((words, at) => words !== before[at]).join('. ');
  };
  const show = (page) => {
    const next = page.querySelector('main[data-every]');
    if (!next) throw new Error('not the page');
    if (pristine.isEqualNode(next)) return;
    const focused = document.activeElement && document.activeElement.id;
    const words = difference(pristine, next);
    exchange(find(), pristine, next);
    pristine = next;
    document.title = page.title;
    localize();
    if (focused && document.activeElement.id !== focused) {
      const again = document.getElementById(focused) || document.querySelector('h1');
      again.focus({ preventScroll: true });
    }
    if (words) say(words);
  };
  const load = async () => {
    const limit = new AbortController();
    const alarm = setTimeout(() => limit.abort(), 10000);
    try {
      const answer = await fetch(location.href, {
        headers: { Accept: 'text/html' }, cache: 'no-store', redirect: 'error', signal: limit.signal,
      });
      const html = /^text\\/html/.test(answer.headers.get('content-type') || '');
      // An unknown or expired link has a page too, and ends the story.
      if (!html || !(answer.ok || answer.status === 404 || answer.status === 410)) throw new Error('no page');
      // Its style has the nonce of another answer: parsing it would only be reported as a violation.
      const source = (await answer.text()).replace(/<style[^]*?<\\/style>/, '');
      show(new DOMParser().parseFromString(source, 'text/html'));
      misses = 0;
    } catch {
      misses += 1;
    } finally {
      clearTimeout(alarm);
    }
  };
  const every = () => Number(find().dataset.every);
  const next = () => {
    clearTimeout(timer);
    if (every() > 0) timer = setTimeout(turn, Math.min(every() * 2 ** misses, 30) * 1000);
  };
  const turn = async () => {
    if (busy || document.hidden) return;
    busy = true;
    await load();
    busy = false;
    link.textContent = every() === 0 ? '' : misses > 1
      ? 'No connection just now. This page keeps trying.' : 'This page updates by itself.';
    next();
  };
  document.addEventListener('visibilitychange', () => { if (!document.hidden && every() > 0) { clearTimeout(timer); turn(); } });

  root.classList.add('js');
  localize();
  next();
})();`;
