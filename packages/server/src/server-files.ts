import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import { clientFileOf, fileExchangeOf, fileNameOf, serveClientFile } from "./client-files/files.ts";
import { toFileExchange } from "./client-files/exchange.ts";
import type { Exchange } from "./client-files/exchange.ts";
import { ConfiguredServer } from "./server-settings.ts";
import type { EventsMap } from "./events/typed-events.ts";

/** A server, as far as it serves the files of the client. */
export abstract class FileServer<
  ListenEvents extends EventsMap,
  OwnEmitEvents extends EventsMap,
  ReservedEvents extends EventsMap,
  EmitEvents extends EventsMap,
  SocketData,
> extends ConfiguredServer<ListenEvents, OwnEmitEvents, ReservedEvents, EmitEvents, SocketData> {
  protected interceptFile(exchange: Exchange): boolean {
    const file = clientFileOf(exchange.request.head.url, this._path);
    if (file !== undefined) {
      serveClientFile(file, toFileExchange(exchange), this._corsMiddleware);
    }
    return file !== undefined;
  }

  /**
   * Serves the files of the client in front of the listeners of an HTTP server, for engines given to {@link bind}.
   *
   * @example
   * io.bind(engine);
   * io.attachServe(httpServer);
   */
  attachServe(srv: HttpServer): void {
    const listeners = srv.listeners("request");
    srv.removeAllListeners("request");
    srv.on("request", (req: IncomingMessage, res: ServerResponse) => {
      const file = clientFileOf(req.url as string, this._path);
      if (file === undefined) {
        for (const listener of listeners) listener.call(srv, req, res);
      } else {
        this.serve(file, req, res);
      }
    });
  }

  /** Answers a request of `node:http` with a file of the client. */
  serve(filename: string, req: IncomingMessage, res: ServerResponse): void {
    serveClientFile(filename, fileExchangeOf(req, res), this._corsMiddleware);
  }

  /** The same without the headers of `cors`. */
  static sendFile(filename: string, req: IncomingMessage, res: ServerResponse): void {
    serveClientFile(filename, fileExchangeOf(req, res), undefined);
  }

  /** The file a URL under the path names. */
  extractFilename(url: string): string {
    return fileNameOf(url, this._path);
  }
}
