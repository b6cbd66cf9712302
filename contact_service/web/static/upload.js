// Dragging a file onto its field, and how much of it has been sent. Without this the form works too.
"use strict";
for (const form of document.querySelectorAll("[data-upload]")) {
  const input = form.querySelector("input[type=file]");
  const place = form.querySelector("[data-drop]");
  const shown = form.querySelector("[data-progress]");
  const lost = form.querySelector("[data-lost]");
  const bar = shown.querySelector("progress");
  for (const name of ["dragover", "dragleave", "drop"]) {
    place.addEventListener(name, (event) => {
      event.preventDefault();
      place.classList.toggle("over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files.length) input.files = event.dataTransfer.files;
    });
  }
  const large = form.querySelector("[data-large]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    // said here: a server that refuses what is still being sent is not heard
    large.hidden = !input.files.length || input.files[0].size <= Number(form.dataset.most);
    if (!large.hidden) return;
    const body = new FormData(form);
    if (event.submitter) body.set(event.submitter.name, event.submitter.value);
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "text/html");
    request.upload.addEventListener("progress", (sent) => {
      if (sent.lengthComputable) bar.value = (100 * sent.loaded) / sent.total;
    });
    const enabled = (on) => form.querySelectorAll("button").forEach((one) => { one.disabled = !on; });
    request.addEventListener("load", () => {
      if (request.status < 400) { location.assign(request.responseURL); return; }
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const fault = page.querySelector(".fault") || page.querySelector("main") || lost.cloneNode(true);
      document.querySelector("main .fault")?.remove();
      document.querySelector("h1").after(fault);
      fault.hidden = false;
      fault.scrollIntoView();
      shown.hidden = true;
      enabled(true);
    });
    request.addEventListener("error", () => {
      shown.hidden = true;
      lost.hidden = false;
      enabled(true);
    });
    shown.hidden = false;
    lost.hidden = true;
    enabled(false);
    request.send(body);
  });
}
