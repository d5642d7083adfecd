"""Small programs in the style of apps that were written for CloudBoost: only the script's address has changed.

Each is a page of its own; `done(…)` is where it would show something.
"""

import pytest

from tests.browser.conftest import Site
from tests.collections.conftest import make_collection
from tests.servers import InProcessServer

PAGE = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<script src="{url}/js/cloudboost.js"></script>
<script>
var shown = new Promise(function (resolve) {{ window.done = resolve; }});
CB.CloudApp.init("{url}", "{backend_id}", "{api_key}");
{program}
</script>
"""

VOTES = """
var vote = new CB.CloudObject('vote');
vote.set('name', 'Tea');
vote.set('count', 0);
vote.save({
  success: function(obj) {
    obj.set('count', obj.get('count') + 1);
    obj.save({
      success: function(obj) {
        var query = new CB.CloudQuery('vote');
        query.equalTo('name', 'Tea');
        query.findOne({
          success: function(found) { done(found.document.name + ' has ' + found.get('count')); },
          error: function(err) { done(err.message); }
        });
      },
      error: function(err) { done(err.message); }
    });
  },
  error: function(err) { done(err.message); }
});
"""

SHOP = """
var shop = new CB.CloudObject('shop'), order = new CB.CloudObject('order');
shop.set('title', 'Corner shop');
order.set('amount', 12.5);
order.set('shop', shop);
order.save().then(function (saved) {
  var query = new CB.CloudQuery('order');
  query.equalTo('shop', saved.get('shop'));
  query.include('shop');
  return query.find();
}).then(function (orders) {
  done(orders.length + ' order at ' + orders[0].get('shop').get('title') + ', ' + orders[0].get('amount'));
}, function (err) { done(err.message); });
"""

MUSIC = """
var artists = ['Ella', 'Nina'].map(function (name) {
  var artist = new CB.CloudObject('artist');
  artist.set('name', name);
  return artist;
});
var song = new CB.CloudObject('song');
song.set('title', 'Duet');
song.set('artists', artists);
song.save({
  success: function () {
    var query = new CB.CloudQuery('song');
    query.include('artists');
    query.orderByDesc('createdAt');
    query.find({
      success: function (list) {
        done(list[0].document.title + ': ' + list[0].document.artists.map(function (artist) {
          return artist.document.name;
        }).join(' & '));
      }
    });
  },
  error: function (err) { done(err.message); }
});
"""

FORM = """
// Nobody signs in here: a contact form.
function submit(name, text) {
  var message = new CB.CloudObject('message');
  message.set('name', name);
  message.set('sent_at', new Date(0));
  message.set('text', text);
  return message.save();
}
submit('Anna', 'Hello').then(function (message) {
  done(CB.CloudUser.current === null && message.id ? 'Thank you, ' + message.get('name') : 'no');
}, function (err) { done(err.message); });
"""

SIGN_IN = """
var user = new CB.CloudUser();
user.set('username', 'anna');
user.set('password', 'blue-whale-31');
user.set('email', 'anna@example.com');
user.signUp({
  success: function (user) {
    user.logOut().then(function () {
      var again = new CB.CloudUser();
      again.set('username', 'anna');
      again.set('password', 'something-else');
      return again.logIn();
    }).catch(function (err) {
      done(err.response.status + ' ' + err.response.data.error);
    });
  },
  error: function (err) { done(err.response.data.error); }
});
"""

PAGES = """
var rows = [];
for (var i = 1; i <= 25; i++) {
  var row = new CB.CloudObject('row');
  row.set('number', i);
  rows.push(row);
}
CB.CloudObject.saveAll(rows, {
  success: function () {
    var query = new CB.CloudQuery('row');
    query.orderByAsc('number');
    query.paginate(3, 10, {
      success: function (list, count, pages) {
        done(list.map(function (row) { return row.get('number'); }) + ' of ' + count + ' on ' + pages + ' pages');
      },
      error: function (err) { done(err.message); }
    });
  },
  error: function (err) { done(err.message); }
});
"""

NOTES = """
function signUp(name) {
  var user = new CB.CloudUser();
  user.set('username', name);
  user.set('password', 'blue-whale-31');
  return user.signUp();
}
function notes() {
  return new CB.CloudQuery('note').find().then(function (list) { return list.length; });
}
var counts = [];
signUp('anna').then(function (user) {
  var note = new CB.CloudObject('note');
  note.set('text', 'for me');
  note.ACL = new CB.ACL();
  note.ACL.setPublicReadAccess(false);
  note.ACL.setPublicWriteAccess(false);
  note.ACL.setUserReadAccess(user.id, true);
  note.ACL.setUserWriteAccess(user.id, true);
  return note.save();
}).then(notes).then(function (many) {
  counts.push(many);
  return CB.CloudUser.current.logOut();
}).then(function () { return signUp('bert'); }).then(notes).then(function (many) {
  counts.push(many);
  done('anna sees ' + counts[0] + ', bert sees ' + counts[1]);
}).catch(function (err) { done(err.message); });
"""

TUTORIAL = """
// A tutorial that reads `document` directly, and goes on with what a callback gives.
var student = new CB.CloudObject('student');
student.set('name', 'Tom');
student.set('age', 20);
student.save({
  success: function (obj) {
    var query = new CB.CloudQuery('student');
    query.greaterThan('age', 18);
    query.lessThan('age', 30);
    query.find({
      success: function (list) {
        var lines = list.map(function (each) {
          return each.document._id === obj.document._id && each.document.name + ' ' + each.document.age;
        });
        list[0].delete({
          success: function () {
            query.count({ success: function (many) { done(lines.join() + ', then ' + many); } });
          }
        });
      }
    });
  }
});
"""

COPYING = """
// As wrappers for Angular do: they hand out copies, made member by member, of what they got.
function copyOf(value) {
  if (Array.isArray(value)) { return value.map(copyOf); }
  if (value === null || typeof value !== 'object' || value instanceof Date) { return value; }
  var copy = Object.create(Object.getPrototypeOf(value));
  for (var key in value) {
    if (Object.prototype.hasOwnProperty.call(value, key)) { copy[key] = copyOf(value[key]); }
  }
  return copy;
}
var task = new CB.CloudObject('task');
task.set('title', 'draft');
task.$$hashKey = 'object:1';
task = copyOf(task);
task.save().then(function (saved) {
  var shown = copyOf(saved);
  shown.set('title', 'final');
  shown = copyOf(shown);
  return shown.save();
}).then(function () {
  return new CB.CloudQuery('task').find();
}).then(function (list) {
  done(list.length + ' ' + list[0].get('title') + ' ' + list.every(function (each) { return !each.get('$$hashKey'); }));
}, function (err) { done(err.message); });
"""

SIGNED_IN_PAGE = """
// A page that asks who is there, and greets by a column of the user.
var user = new CB.CloudUser();
user.set('username', 'carol');
user.set('password', 'blue-whale-31');
user.set('name', 'Carol');
user.signUp({
  success: function () {
    CB.CloudUser.getCurrentUser({
      success: function (now) {
        var mine = new CB.CloudObject('profile');
        mine.set('user', CB.CloudUser.current);
        mine.save().then(function () {
          var query = new CB.CloudQuery('profile');
          query.equalTo('user', CB.CloudUser.current);
          query.include('user');
          return query.findOne();
        }).then(function (profile) {
          done('Hello ' + now.document.name + ', ' + profile.get('user').get('username'));
        }, function (err) { done(err.message); });
      }
    });
  },
  error: function (err) { done(err.message); }
});
"""


@pytest.mark.parametrize(
    ("program", "tables", "shown"),
    [
        pytest.param(VOTES, ["vote"], "Tea has 1", id="votes"),
        pytest.param(SHOP, ["shop", "order"], "1 order at Corner shop, 12.5", id="shop"),
        pytest.param(MUSIC, ["artist", "song"], "Duet: Ella & Nina", id="music"),
        pytest.param(FORM, ["message"], "Thank you, Anna", id="form"),
        pytest.param(SIGN_IN, [], "401 Username or password is incorrect.", id="sign-in"),
        pytest.param(PAGES, ["row"], "21,22,23,24,25 of 25 on 3 pages", id="pages"),
        pytest.param(NOTES, ["note"], "anna sees 1, bert sees 0", id="notes"),
        pytest.param(TUTORIAL, ["student"], "Tom 20, then 0", id="tutorial"),
        pytest.param(COPYING, ["task"], "1 final true", id="copying"),
        pytest.param(SIGNED_IN_PAGE, ["profile"], "Hello Carol, carol", id="who-is-there"),
    ],
)
async def test_program(site: Site, server: InProcessServer, program: str, tables: list[str], shown: str) -> None:
    for table in tables:
        make_collection(server, table, public="rw")
    settings = {"url": server.url, "backend_id": server.backend_id, "api_key": server.api_key}
    page = await site.open("http", PAGE.format(program=program, **settings))
    assert await page.evaluate("shown") == shown
    assert site.console == []
