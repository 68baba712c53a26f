/**
 * Noisy beside denoised: two pictures on top of each other and a line that divides them. The
 * picture scrolls and zooms like a page does; the line stands still in the window on it.
 */

const ZOOMS = [1, 2, 4];

export class Viewer {
  /** @param {HTMLElement} root holds .pane, .stage, two canvases, .line, the slider, the buttons. */
  constructor(root) {
    this.root = root;
    this.pane = root.querySelector(".pane");
    this.stage = root.querySelector(".stage");
    [this.before, this.after] = root.querySelectorAll("canvas");
    this.line = root.querySelector(".line");
    this.slider = root.querySelector("input[type=range]");
    this.zooms = root.querySelector(".zooms");
    this.zoom = "fit";
    this.size = { width: 1, height: 1 };
    this.slider.addEventListener("input", () => this.divide());
    this.pane.addEventListener("scroll", () => this.divide(), { passive: true });
    new ResizeObserver(() => this.layout()).observe(this.pane);
    this.zooms.addEventListener("click", ({ target }) => this.zoomTo(target.dataset.zoom));
    this.line.addEventListener("pointerdown", (event) => this.drag(event));
  }

  /** Show the noisy picture alone. */
  showBefore(picture) {
    this.size = picture;
    paint(this.before, picture);
    this.root.hidden = false;
    this.root.classList.remove("divided");
    this.slider.disabled = true;
    this.zoomTo("fit");
  }

  /** Show the denoised one beside it. */
  showAfter(picture) {
    paint(this.after, picture);
    this.root.classList.add("divided");
    this.slider.disabled = false;
    this.layout();
  }

  zoomTo(zoom) {
    if (!zoom) return;
    const { pane } = this;
    const middle = [
      (pane.scrollLeft + pane.clientWidth / 2) / this.stage.clientWidth,
      (pane.scrollTop + pane.clientHeight / 2) / this.stage.clientHeight,
    ];
    this.zoom = zoom;
    for (const button of this.zooms.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.zoom === zoom));
    }
    this.layout();
    pane.scrollLeft = middle[0] * this.stage.clientWidth - pane.clientWidth / 2;
    pane.scrollTop = middle[1] * this.stage.clientHeight - pane.clientHeight / 2;
    this.divide();
  }

  /** The stage's size in CSS pixels; at 100 % a sample is a pixel of the screen. */
  layout() {
    const { width, height } = this.size;
    const room = Math.min(this.pane.clientWidth / width, this.mostHeight() / height);
    const scale = this.zoom === "fit" ? room : Number(this.zoom) / devicePixelRatio;
    this.stage.style.width = `${width * scale}px`;
    this.stage.style.height = `${height * scale}px`;
    this.root.style.setProperty("--seen", `${Math.min(this.pane.clientWidth, width * scale)}px`);
    this.stage.classList.toggle("pixels", scale * devicePixelRatio >= Math.min(...ZOOMS));
    this.divide();
  }

  mostHeight() {
    return Number.parseFloat(getComputedStyle(this.pane).maxHeight) || window.innerHeight;
  }

  /** Left of the line the noisy picture, right of it the denoised one. */
  divide() {
    const seen = Math.min(this.pane.clientWidth, this.stage.clientWidth);
    const inPane = Math.max(this.stage.offsetLeft - this.pane.scrollLeft, 0);
    const at = (seen * Number(this.slider.value)) / 100;
    this.line.style.left = `${inPane + at}px`;
    this.line.style.height = `${this.pane.clientHeight}px`;
    const inStage = at + (this.stage.clientWidth > this.pane.clientWidth ? this.pane.scrollLeft : 0);
    this.after.style.clipPath = `inset(0 0 0 ${inStage}px)`;
    this.slider.setAttribute("aria-valuetext", `noisy left of ${this.slider.value} %`);
  }

  drag(event) {
    event.preventDefault();
    this.line.setPointerCapture(event.pointerId);
    const move = ({ clientX }) => {
      const box = this.pane.getBoundingClientRect();
      const start = box.left + Math.max(this.stage.offsetLeft - this.pane.scrollLeft, 0);
      const seen = Math.min(this.pane.clientWidth, this.stage.clientWidth);
      this.slider.value = String((100 * (clientX - start)) / seen);
      this.divide();
    };
    this.line.addEventListener("pointermove", move);
    this.line.addEventListener("lostpointercapture", () => this.line.removeEventListener("pointermove", move), { once: true });
  }
}

function paint(canvas, { width, height, pixels }) {
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
}
