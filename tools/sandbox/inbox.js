const status = document.getElementById("new");
setInterval(async () => {
  const found = await (await fetch("/messages" + location.search)).json();
  const more = found.messages.length - Number(status.dataset.seen);
  if (more <= 0 || status.dataset.more === String(more)) return;
  status.dataset.more = more;
  status.innerHTML = `<a href="">${more} new mail${more > 1 ? "s" : ""}: show</a>`;
}, 3000);
