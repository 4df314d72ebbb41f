// Finds the number whose SHA-256 with the server's salt is the one the server asks for.
"use strict";

const hex = (bytes) =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

const solve = async ({ algorithm, challenge, maxNumber, salt }) => {
  const encoder = new TextEncoder();
  for (let number = 0; number <= maxNumber; number += 1) {
    const digest = await crypto.subtle.digest(algorithm, encoder.encode(salt + number));
    if (hex(digest) === challenge) {
      return String(number);
    }
  }
  return "";
};

self.addEventListener("message", async (event) => {
  self.postMessage(await solve(JSON.parse(atob(event.data))));
});
