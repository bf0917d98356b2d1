/** Finds a QR code in what a camera or a picture shows: by the browser itself where it can, else by a reader of our own origin. */
export interface CodeReader {
  detect(source: ImageBitmapSource): Promise<readonly { readonly rawValue: string }[]>;
}
interface NativeReader {
  new (options: { formats: string[] }): CodeReader;
  getSupportedFormats(): Promise<string[]>;
}

let made: Promise<CodeReader> | undefined;

/** Made once: the reader is half a megabyte, loaded when somebody wants to scan. */
export function codeReader(): Promise<CodeReader> {
  made ??= make();
  return made;
}

/** The reader and its program have to be of one version: zxing-wasm is pinned to what barcode-detector was made with. */
async function make(): Promise<CodeReader> {
  const native = (globalThis as { BarcodeDetector?: NativeReader }).BarcodeDetector;
  const formats = (await native?.getSupportedFormats().catch(() => [])) ?? [];
  if (native !== undefined && formats.includes("qr_code")) return new native({ formats: ["qr_code"] });
  const [{ BarcodeDetector, prepareZXingModule }, { default: wasm }] = await Promise.all([
    import("barcode-detector/ponyfill"),
    import("zxing-wasm/reader/zxing_reader.wasm?url"),
  ]);
  prepareZXingModule({ overrides: { locateFile: (path: string, prefix: string) => (path.endsWith(".wasm") ? wasm : prefix + path) } });
  return new BarcodeDetector({ formats: ["qr_code"] });
}
