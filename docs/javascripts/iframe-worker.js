/* Browsers allow no worker to a page opened from a file: there the search runs in a hidden frame instead. */
if (location.protocol === "file:") {
  window.IFrameWorker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.body.appendChild(document.createElement("iframe"));
      frame.hidden = true;
      frame.title = "search";
      this.frame = frame.contentWindow;
      window.addEventListener("message", event => {
        if (event.source !== this.frame) return;
        this.dispatchEvent(new MessageEvent("message", { data: event.data }));
      });
      this.ready = new Promise(resolve => { this.frame.addEventListener("load", resolve); frame.onload = resolve; });
      const page = this.frame.document;
      page.open();
      page.write("<body><script>postMessage = data => parent.postMessage(data, '*');<\/script>");
      page.write(`<script src="${url}"><\/script></body>`);
      page.close();
    }

    postMessage(data) {
      this.ready.then(() => this.frame.dispatchEvent(new MessageEvent("message", { data })));
    }
  };
  window.Worker = window.IFrameWorker;
}
