(() => {
  const send = async (url, body) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    if (answer.next && !response.ok) {
      location.assign(answer.next);
      throw new Error('Sign in again first.');
    }
    if (!response.ok) throw new Error(answer.message || 'Peta did not answer as expected.');
    return answer;
  };

  const link = location.pathname === '/sign-in/welcome' ? location.hash.slice(1) : '';
  if (link) {
    history.replaceState(null, '', location.pathname + location.search);
    for (const input of document.querySelectorAll('input[name=link]')) input.value = link;
  }
  // A link that is opened where this page is open already does not load it again by itself.
  if (location.pathname === '/sign-in/welcome') addEventListener('hashchange', () => location.reload());
  for (const part of document.querySelectorAll('[data-needs-link]')) {
    const has = [...document.querySelectorAll('input[name=link]')].some((input) => input.value);
    part.hidden = (part.dataset.needsLink === 'yes') !== has;
  }
  if (link || document.querySelector('input[name=link]')) document.getElementById('errors')?.focus();
  const linkNow = () => document.querySelector('input[name=link]')?.value ?? '';

  const ask = (data) => ({ link: linkNow(), next: data.next ?? '' });
  const ways = {
    async get(data) {
      const options = PublicKeyCredential.parseRequestOptionsFromJSON(await send(data.options, ask(data)));
      return { answer: (await navigator.credentials.get({ publicKey: options })).toJSON() };
    },
    async create(data) {
      const options = PublicKeyCredential.parseCreationOptionsFromJSON(await send(data.options, ask(data)));
      const made = await navigator.credentials.create({ publicKey: options });
      return { answer: made.toJSON(), name: document.getElementById(data.nameField)?.value ?? '' };
    },
  };

  const isAddress = /^[\d.]+$|^\[/.test(location.hostname);
  const isAble = 'PublicKeyCredential' in window && 'parseCreationOptionsFromJSON' in PublicKeyCredential;
  const why = isAddress
    ? `Passkeys need a name in place of the address ${location.hostname}${
        location.hostname === '127.0.0.1' ? `: open http://localhost:${location.port} to use them.` : '.'
      }`
    : window.isSecureContext
      ? 'This browser has no passkeys.'
      : 'Passkeys need https.';

  for (const part of document.querySelectorAll('[data-passkey-part]')) {
    const button = part.querySelector('button');
    const none = part.parentElement.querySelector('[data-passkey-none]');
    const error = part.parentElement.querySelector('[data-passkey-error]');
    if (isAddress || !isAble) {
      none.textContent = why;
      none.hidden = false;
      continue;
    }
    part.hidden = false;
    button.addEventListener('click', async () => {
      error.hidden = true;
      button.disabled = true;
      try {
        const { next } = await send(button.dataset.finish, {
          ...(await ways[button.dataset.way](button.dataset)),
          ...ask(button.dataset),
        });
        location.assign(next);
      } catch (fault) {
        const isQuiet = fault.name === 'NotAllowedError' || fault.name === 'AbortError';
        const isTwice = fault.name === 'InvalidStateError';
        error.textContent = isQuiet
          ? 'No passkey was used. Try again, or use another way.'
          : isTwice
            ? 'This device already has a passkey for you here.'
            : fault.message;
        error.hidden = false;
        button.disabled = false;
        button.focus();
      }
    });
  }
})();
