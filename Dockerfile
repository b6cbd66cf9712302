# The service in one image; what a container does is its command (see docker-compose.yml).
FROM python:3.11.14-slim-trixie AS build

WORKDIR /app
COPY requirements.lock ./
# exact versions by digest, wheels only: nothing is compiled and no installation code runs
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check \
      --require-hashes --only-binary :all: -r requirements.lock \
 && /venv/bin/pip uninstall --yes pip
COPY campaigns ./campaigns
COPY providers ./providers
COPY contact_service ./contact_service
RUN printf '#!/venv/bin/python\nfrom contact_service.cli import main\n\nmain()\n' \
      >/venv/bin/contact-service \
 && chmod 755 /venv/bin/contact-service \
 && /venv/bin/python -m compileall -q /app

FROM python:3.11.14-slim-trixie

RUN useradd --system --uid 10001 --user-group --no-create-home contact \
 && install -d -o contact -g contact -m 0700 /var/lib/contact-service \
 # volumes take over who may write: each server's user its own certificate
 && install -d -o contact -g contact -m 0755 /tls/web /tls/trunk \
 && install -d -o 999 -g 999 -m 0755 /tls/postgres \
 && install -d -o 999 -g 1000 -m 0755 /tls/redis
COPY --from=build /venv /venv
COPY --from=build /app /app

ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CONTACT_STATE_DIR=/var/lib/contact-service
WORKDIR /app
USER contact
EXPOSE 8000
CMD ["contact-service", "doctor"]
