"""What workers have in common, and what becomes of it when one of them dies."""

from jsonrpc_backend.server.workers.hub import Hub, HubMember, Message


class Told(list[Message]):
    """What a worker is told."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.member: HubMember = hub.join(self.append)

    def says(self, *message: object) -> list[Message]:
        """What it is told because it says that."""
        self.clear()
        self.hub.hear(self.member, list(message))
        return list(self)

    def dies(self) -> None:
        self.hub.leave(self.member)


def two() -> tuple[Told, Told]:
    hub = Hub()
    return Told(hub), Told(hub)


def test_what_is_under_way_is_counted_for_all() -> None:
    one, other = two()
    assert one.says("begin", 1, ["a", "b"]) == [["reply", 1, [[0, 0], [0, 0]]]]
    assert one.says("begin", 2, ["a"]) == [["reply", 2, [[1, 0]]]]
    assert other.says("begin", 3, ["a", "b"]) == [["reply", 3, [[2, 2], [1, 1]]]]
    one.says("end", ["a"])
    assert other.says("begin", 4, ["a"]) == [["reply", 4, [[2, 1]]]]


def test_what_a_dead_worker_has_begun_is_over() -> None:
    one, other = two()
    one.says("begin", 1, ["a", "a", "b"])
    one.dies()
    assert other.says("begin", 1, ["a", "b"]) == [["reply", 1, [[0, 0], [0, 0]]]]


def test_a_lock_goes_from_one_to_the_next() -> None:
    one, other = two()
    assert one.says("lock", 1, "mail") == [["reply", 1, None]]
    assert other.says("lock", 7, "mail") == []
    assert other.says("lock", 8, "other things") == [["reply", 8, None]]
    one.says("tell", "written", ["x"])
    one.says("unlock", "mail")
    assert other == [["reply", 8, None], ["told", "written", ["x"]], ["reply", 7, None]]


def test_a_lock_of_a_dead_worker_and_of_one_that_gives_up_go_on() -> None:
    one, other = two()
    third = Told(one.hub)
    one.says("lock", 1, "mail")
    other.says("lock", 2, "mail")
    third.says("lock", 3, "mail")
    other.says("give_up", "mail", 2)
    one.dies()
    assert third == [["reply", 3, None]]
    third.says("unlock", "mail")
    assert other.says("lock", 4, "mail") == [["reply", 4, None]]


def test_one_is_on_duty_and_its_heir_takes_over() -> None:
    one, other = two()
    one.hub.note_ready(other.member)
    one.hub.note_ready(one.member)
    assert (one, other) == ([], [["duty"]])
    other.dies()
    assert one == [["duty"]]


def test_a_question_goes_to_all_others_that_are_ready() -> None:
    one, other = two()
    third = Told(one.hub)
    for each in (one, other):
        one.hub.note_ready(each.member)
    one.clear()
    assert one.says("ask", 5, "metrics") == []
    assert third == []
    ((_, key, question),) = (message for message in other if message[0] == "question")
    assert question == "metrics"
    other.says("count", {"calls": 3})
    other.says("answer", key, {"calls": 3})
    assert one == [["reply", 5, [[{"calls": 3}], {}]]]
    other.dies()
    assert one.says("ask", 6, "metrics") == [["duty"], ["reply", 6, [[], {"calls": 3}]]][1:]


def test_a_question_to_one_that_dies_is_answered_by_what_it_has_counted() -> None:
    one, other = two()
    for each in (one, other):
        one.hub.note_ready(each.member)
    other.says("count", {"calls": 2})
    one.says("ask", 5, "metrics")
    other.dies()
    assert one[-1] == ["reply", 5, [[], {"calls": 2}]]
