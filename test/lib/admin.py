# SPDX-License-Identifier: BSD-2-Clause
"""Django's admin: a server of it, and people who work in it.

  admin.py serve FOLDER ADDRESS KEY    with a data base of its own in FOLDER
  admin.py work HOST TIMES NAME        log in, look around, add groups NAME..., log out

The server draws its sessions and tokens by lot, and signs with KEY. A person takes
a new connection for each request, and some time to read. Needs the Python that has Django (python3-django).
"""
import http.client
import os
import re
import sys
import time
import urllib.parse

PYTHON = "/usr/bin/python3"
PASSWORD = "correct horse"
READS = 0.4  # seconds


def serve(folder, address, key):
    import socketserver
    import wsgiref.simple_server

    import django
    from django.conf import settings
    contrib = ["admin", "auth", "contenttypes", "sessions", "messages"]
    settings.configure(
        SECRET_KEY=key, ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3",
                               "NAME": os.path.join(folder, "db")}},
        INSTALLED_APPS=["django.contrib." + x for x in contrib],
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware",
                    "django.middleware.common.CommonMiddleware",
                    "django.middleware.csrf.CsrfViewMiddleware",
                    "django.contrib.auth.middleware.AuthenticationMiddleware",
                    "django.contrib.messages.middleware.MessageMiddleware"],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates",
                    "APP_DIRS": True,
                    "OPTIONS": {"context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages"]}}])
    django.setup()
    from django.contrib import admin
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from django.urls import path
    globals()["urlpatterns"] = [path("admin/", admin.site.urls)]
    call_command("migrate", verbosity=0)
    User.objects.create_superuser("boss", "boss@example.org", PASSWORD)

    class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
        daemon_threads = True
        request_queue_size = 128

    class Handler(wsgiref.simple_server.WSGIRequestHandler):
        def log_message(self, *_):
            pass

        def address_string(self):
            return self.client_address[0]

    # No name is looked up: there is none to ask.
    wsgiref.simple_server.WSGIServer.server_bind = socketserver.TCPServer.server_bind
    Server.server_name, Server.server_port, Server.base_environ = address, 80, {}
    server = Server((address, 80), Handler)
    server.setup_environ()
    server.set_app(get_wsgi_application())
    server.serve_forever()


class Person:
    def __init__(self, host):
        self.host, self.cookies, self.token = host, {}, ""

    def ask(self, method, path, form=None):
        time.sleep(READS)
        fields = {"Host": "shop.example"}
        if self.cookies:
            fields["Cookie"] = "; ".join("%s=%s" % x for x in self.cookies.items())
        body = None
        if form is not None:
            fields["Content-Type"] = "application/x-www-form-urlencoded"
            body = urllib.parse.urlencode(dict(form, csrfmiddlewaretoken=self.token))
        c = http.client.HTTPConnection(self.host, 80, timeout=60)
        c.request(method, path, body, fields)
        r = c.getresponse()
        text = r.read().decode()
        c.close()
        for name, value in r.getheaders():
            if name.lower() == "set-cookie":
                name, value = value.split(";")[0].split("=", 1)
                self.cookies[name] = value
                if value in ("", '""'):
                    del self.cookies[name]
        found = re.search(r'csrfmiddlewaretoken" value="(\w+)"', text)
        self.token = found[1] if found else self.token
        return r.status


def work(host, times, name):
    for i in range(times):
        p = Person(host)
        said = [p.ask("GET", "/admin/login/"),
                p.ask("POST", "/admin/login/", {"username": "boss",
                                                "password": PASSWORD,
                                                "next": "/admin/"}),
                p.ask("GET", "/admin/"), p.ask("GET", "/admin/auth/user/"),
                p.ask("GET", "/admin/auth/group/add/"),
                p.ask("POST", "/admin/auth/group/add/", {"name": name + str(i)}),
                p.ask("GET", "/admin/auth/group/"), p.ask("GET", "/admin/logout/"),
                p.ask("GET", "/admin/login/"), p.ask("GET", "/admin/none/")]
        print(*said)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:5])
    else:
        work(sys.argv[2], int(sys.argv[3]), sys.argv[4])
