"""Requests to the server, over the standard library's urllib."""

import json
import socket
import urllib.error
import urllib.parse
import urllib.request

from .errors import HttpError


def segment(text):
    """Text as one segment of a path."""
    return urllib.parse.quote(str(text), safe="")


class Http:
    """One server. Safe for threads: every request has a connection of its own."""

    def __init__(self, url, headers=None, timeout=60):
        self.url = url.rstrip("/")
        self.timeout = timeout
        # Servers that guard against forged requests want X-Requested-By.
        self._headers = {"X-Requested-By": "hearth", "Accept": "application/json"}
        self._headers.update(headers or {})

    def request(self, method, path, body=None, parameters=None, timeout=None):
        """Returns the parsed JSON body, or None where there is none. Raises HttpError."""
        text = self.text(method, path, body, parameters, timeout)
        return json.loads(text) if text else None

    def text(self, method, path, body=None, parameters=None, timeout=None):
        """As request(), but the body as it came."""
        with self._open(method, path, body, parameters, {}, timeout) as response:
            return response.read()

    def get(self, path, timeout=None, **parameters):
        return self.request("GET", path, parameters=parameters, timeout=timeout)

    def post(self, path, body=None, timeout=None, **parameters):
        return self.request("POST", path, {} if body is None else body, parameters, timeout)

    def delete(self, path, timeout=None):
        return self.request("DELETE", path, timeout=timeout)

    def stream(self, path, headers, timeout=None):
        """Opens a GET; gives the response, which is read line by line and closed by its user."""
        return self._open("GET", path, None, None, headers, timeout)

    def _open(self, method, path, body, parameters, headers, timeout):
        given = {name: value for name, value in (parameters or {}).items() if value is not None}
        url = self.url + path + ("?" + urllib.parse.urlencode(given) if given else "")
        data = None if body is None else json.dumps(body).encode("utf-8")
        headers = {**self._headers, **headers}
        if data is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            return urllib.request.urlopen(request, timeout=timeout or self.timeout)
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode("utf-8", "replace")
            try:
                problem = json.loads(text)
            except ValueError:
                problem = text
            raise HttpError(error.code, problem, method, path) from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, (ConnectionError, socket.timeout)):
                raise error.reason from None  # as it would come in the middle of a response
            raise
