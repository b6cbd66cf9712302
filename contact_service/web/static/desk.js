// The desk's page tells the service that it is still open, and shows how long things take.
// Without it everything works; a person then stays with the operator for two hours.
(() => {
  const bar = document.querySelector("[data-here]");
  if (!bar) return;
  const report = () =>
    fetch(bar.dataset.here, {
      method: "POST",
      body: new URLSearchParams({ form_token: bar.dataset.token }),
      keepalive: true,
    }).catch(() => {});
  report();
  setInterval(report, 20000);

  // who calls appears within three seconds, whatever is being typed elsewhere on the page
  const calls = document.querySelector("[data-calls]");
  let last = null;
  const ask = () =>
    fetch(calls.dataset.calls)
      .then((answer) => (answer.ok ? answer.text() : last))
      .then((found) => {
        // only what changed: a button must not be replaced under somebody's finger
        if (found === null || found === last) return;
        calls.innerHTML = found;
        last = found;
      })
      .catch(() => {});
  if (calls) {
    ask();
    setInterval(ask, 3000);
  }

  const since = bar.querySelector("[data-since]");
  if (!since) return;
  const shown = Date.now();
  const began = Date.parse(since.dataset.since);
  const now = Date.parse(document.querySelector("[data-now]").dataset.now);
  const show = () => {
    const seconds = Math.max(0, Math.round((now - began + Date.now() - shown) / 1000));
    const two = (n) => String(n).padStart(2, "0");
    // in brackets: beside the time of day it would read as an end, "from 11:00 to 00:00"
    since.textContent = `(${two(Math.floor(seconds / 60))}:${two(seconds % 60)})`;
  };
  show();
  setInterval(show, 1000);
})();
