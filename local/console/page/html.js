// Templates without a build: text goes in as text, whatever a model or a dataset wrote.
import { h } from "preact";
import htm from "htm";

export const html = htm.bind(h);
