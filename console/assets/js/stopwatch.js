// How long a person has looked: time while the page is hidden does not count.

export class Stopwatch {
  #before = 0;
  #since = document.hidden ? null : performance.now();
  #listener = () => {
    if (document.hidden) {
      this.#before = this.seconds() * 1000;
      this.#since = null;
    } else {
      this.#since = performance.now();
    }
  };

  constructor() {
    document.addEventListener("visibilitychange", this.#listener);
  }

  seconds() {
    const running = this.#since === null ? 0 : performance.now() - this.#since;
    return Math.round((this.#before + running) / 100) / 10;
  }

  restart() {
    this.#before = 0;
    this.#since = document.hidden ? null : performance.now();
  }

  end() {
    document.removeEventListener("visibilitychange", this.#listener);
  }
}
