#!/usr/bin/env node
// Sends a clip, or a folder of frames, and checks that every frame comes back with a body.
//
//   node scripts/test-frame-coverage.js CLIP   [--url http://localhost:5000] [--expect 140]
//   node scripts/test-frame-coverage.js FOLDER [--url ...]    pictures one by one, by their names
//
// Exit code: 0 every frame is there, in order and with a body; 1 not so; 2 it could not be tried.
"use strict";

const { readFile, readdir, stat } = require("node:fs/promises");
const path = require("node:path");
const { parseArgs } = require("node:util");

const KEYPOINTS = 24;
const POLL_MS = 500;
const PICTURE = /\.(jpe?g|png|webp|bmp)$/i;

class CannotTry extends Error {}

async function answer(url, options) {
  let response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    throw new CannotTry(`${url} does not answer: ${error.cause?.message ?? error.message}`);
  }
  const body = await response.json();
  if (!response.ok) throw new CannotTry(`${url} answers ${response.status}: ${body.error}`);
  return body;
}

// Both ways of sending give the answers, and how many there should be.
async function framesOfClip(url, clip) {
  const form = new FormData();
  form.append("video", new Blob([await readFile(clip)]), path.basename(clip));
  // Queued and polled: Node gives up a request that is not answered within five minutes.
  form.append("async", "true");
  form.append("mesh", "false");
  const { job_id: job } = await answer(`${url}/pose/video`, { method: "POST", body: form });
  for (;;) {
    const state = await answer(`${url}/pose/video/status/${job}`);
    if (state.status === "complete") return [state.result.frames, state.result.total_frames];
    if (state.status === "error") throw new CannotTry(`the clip failed: ${state.error}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function framesOfFolder(url, folder) {
  const names = (await readdir(folder)).filter((name) => PICTURE.test(name)).sort();
  if (names.length === 0) throw new CannotTry(`${folder} has no pictures`);
  const session_id = `coverage-${Date.now()}`;
  const frames = [];
  for (const [frame_number, name] of names.entries()) {
    const image_base64 = (await readFile(path.join(folder, name))).toString("base64");
    const body = JSON.stringify({ image_base64, frame_number, session_id, visualize: false });
    const headers = { "Content-Type": "application/json" };
    frames.push(await answer(`${url}/pose/hybrid`, { method: "POST", headers, body }));
  }
  return [frames, names.length];
}

function countByOrigin(frames) {
  const counts = { observed: 0, predicted: 0, interpolated: 0, empty: 0 };
  for (const frame of frames) counts[frame.keypoint_count ? frame.provenance : "empty"] += 1;
  return counts;
}

function complaints(frames, expected) {
  const found = [];
  if (frames.length === 0) found.push("no frames came back");
  if (frames.length !== expected) found.push(`expected ${expected} frames, got ${frames.length}`);
  frames.forEach((frame, place) => {
    if (frame.frame_number !== place) found.push(`frame ${place} is numbered ${frame.frame_number}`);
    const count = frame.keypoints?.length ?? 0;
    if (count !== KEYPOINTS) found.push(`frame ${place} has ${count} of ${KEYPOINTS} keypoints`);
  });
  return found;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { url: { type: "string", default: "http://localhost:5000" }, expect: { type: "string" } },
  });
  if (positionals.length !== 1) throw new CannotTry("give one clip, or one folder of frames");
  const [source] = positionals;
  const isFolder = (await stat(source)).isDirectory();
  const url = values.url.replace(/\/$/, "");
  const send = isFolder ? framesOfFolder : framesOfClip;
  const [frames, stated] = await send(url, source);
  const found = complaints(frames, Number(values.expect ?? stated));
  console.table({ frames: frames.length, ...countByOrigin(frames) });
  found.slice(0, 20).forEach((line) => console.log(`FAIL  ${line}`));
  console.log(found.length ? `${found.length} failures` : `OK    ${frames.length} of ${frames.length} frames`);
  return found.length ? 1 : 0;
}

main().then(
  (code) => (process.exitCode = code),
  (error) => {
    console.error(`error: ${error.message}`);
    process.exitCode = 2;
  },
);
