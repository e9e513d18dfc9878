const form = document.querySelector('form');
const result = document.querySelector('#result');
const image = result.querySelector('img');
const status = result.querySelector('p');

let shown = '';

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { cid, w, h, fit } = Object.fromEntries(new FormData(form));
  const address = `${encodeURIComponent(cid.trim())}?w=${w}&h=${h}&fit=${fit}`;
  result.hidden = false;
  say('Computing…');
  try {
    const response = await fetch(address);
    if (!response.ok) {
      say(await response.text(), true);
      return;
    }
    const blob = await response.blob();
    URL.revokeObjectURL(shown);
    image.src = shown = URL.createObjectURL(blob);
    await image.decode();
    say(`${image.naturalWidth} by ${image.naturalHeight} pixels, ${Math.ceil(blob.size / 1024)} KiB`);
  } catch {
    say('No answer came. Is the gateway still there?', true);
  }
});

function say(text, isBad = false) {
  status.textContent = text;
  status.classList.toggle('bad', isBad);
  if (isBad) image.removeAttribute('src');
}
