# belfry as the entrypoint of a container. Build:  docker build -t belfry .
# Use:  FROM belfry, then add your programs and /etc/belfry/belfry.yaml.
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY deploy/install-deps deploy/install-deps
RUN deploy/install-deps build
COPY . .
RUN cmake --preset release && cmake --build --preset release --target belfry \
    && strip -o /usr/local/bin/belfry build/release/cli/belfry \
    && deploy/runtime-packages /usr/local/bin/belfry > /runtime-packages

FROM debian:bookworm-slim
COPY --from=build /runtime-packages /runtime-packages
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive xargs -r apt-get install -y -qq --no-install-recommends < /runtime-packages \
    && rm -rf /var/lib/apt/lists/* /runtime-packages
COPY --from=build /usr/local/bin/belfry /usr/bin/belfry
# 200 when everything is ready. A container runtime's own check may use `belfry status` instead.
EXPOSE 9600
STOPSIGNAL SIGTERM
ENTRYPOINT ["belfry", "run", "-c", "/etc/belfry/belfry.yaml"]
