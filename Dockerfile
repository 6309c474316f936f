# syntax=docker/dockerfile:1
# The release it was built and tested with, so that the same source gives the same program.
ARG RUST_VERSION=1.95.0

FROM rust:${RUST_VERSION}-slim-bookworm AS build
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked \
    && install -D target/release/pilot-exchange /out/pilot-exchange \
    && install -D -m 0644 LICENSE /out/licences/pilot-exchange/LICENSE \
    && for crate in /usr/local/cargo/registry/src/*/*/; do \
         for file in "$crate"LICEN[CS]E* "$crate"COPYING* "$crate"NOTICE*; do \
           [ ! -f "$file" ] || install -D -m 0644 -t "/out/licences/$(basename "$crate")" "$file"; \
         done; \
       done

FROM debian:bookworm-slim
# The root certificates are for the service's own outgoing calls (webhooks, identity providers).
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/licences /usr/share/doc/pilot-exchange/licences
COPY --from=build /out/pilot-exchange /usr/local/bin/pilot-exchange

# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
ENV PILOT_EXCHANGE_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["pilot-exchange", "healthcheck"]
ENTRYPOINT ["pilot-exchange"]
CMD ["serve"]
