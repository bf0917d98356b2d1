"""Examples of hub/protocol/notices.py."""

from hub.protocol import notices
from hub.protocol.fields import Message

SESSION = "0f0e0d0c-0b0a-4908-8706-050403020100"
DELIVERY = "ffffffff-ffff-4fff-bfff-ffffffffffff"
PERSON = "6f1f2a4e-8d5e-4b0a-9a34-2f6f6a1d0c11"
AT = "2026-03-01T12:34:56.789012Z"

# The example of RFC 8291, section 5.
P256DH = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"

WARNED = notices.NoticeState(7, "new_device", AT, session=SESSION, name="Ana's phone é", network="2001:db8::/48")
FINISHED = notices.NoticeState(
    8, "bulk_finished", AT, heard=True, subject=DELIVERY, amount=9_007_199_254_740_991, lines=1_000, refused=3
)
HELD = notices.NoticeState(9, "hold_expiring", AT, subject=DELIVERY, amount=1, code="capture_it", ends_at=AT)

NEWS = notices.NewsState(
    DELIVERY, "offers", "Novidades é", "Uma.\n\nDuas.", AT, 9_007_199_254_740_991, sent_by=PERSON, ended_at=AT
)

EXAMPLES: tuple[Message, ...] = (
    notices.ReadNotices(1),
    notices.ReadNotices(1, after=0, limit=100),
    notices.ReadNotices(1, before=9_007_199_254_740_991),
    notices.HearNotices(2, 7),
    notices.RegisterPhone(9, "apple", "pt", address="ab" * 32, topic="com.example.pay", sandbox=True),
    notices.RegisterPhone(9, "firebase", "en", address="c" * 160),
    notices.RegisterPhone(
        9, "web", "pt", endpoint="https://fcm.googleapis.com/fcm/send/x", p256dh=P256DH, auth="A" * 22
    ),
    notices.ReadPushKey(10),
    notices.ReadPhones(10),
    notices.ForgetPhone(11, DELIVERY),
    notices.ReadNoticeSettings(3),
    notices.SetNoticeSettings(4),
    notices.SetNoticeSettings(4, language="pt", quiet_from="22:00", quiet_to="07:30", muted=["news", "export_ready"]),
    notices.ReadLadders(5),
    notices.SetLadder(6, "payment_received", 10, 300, has_push=True, has_mail=False),
    notices.ReadDeadDeliveries(7),
    notices.ReadDeadDeliveries(7, before=AT, before_delivery=DELIVERY, limit=1),
    notices.RetryDeliveries(8),
    notices.RetryDeliveries(8, [DELIVERY]),
    notices.SendNews(12, DELIVERY, "offers", "Novidades é", "Uma.\n\nDuas."),
    notices.ReadNews(13),
    notices.ReadNews(13, before=AT, limit=1),
    notices.NewsSent(12, NEWS),
    notices.NewsAnswer(13, [NEWS], next_before=AT),
    notices.NewsAnswer(13, []),
    notices.Notice(notices.NoticeState(10, "news", AT, subject=DELIVERY, title="Novidades é", text="Uma.")),
    notices.NoticesAnswer(1, [FINISHED, WARNED, HELD], 9, 2),
    notices.NoticesAnswer(1, [], 0, 0),
    notices.NoticesHeard(2, 1),
    notices.Notice(WARNED),
    notices.Notice(HELD),
    notices.PhoneRegistered(9, DELIVERY),
    notices.PhonesAnswer(
        10,
        [
            notices.PhoneState(DELIVERY, "apple", "pt", AT, SESSION, name="Ana's phone é"),
            notices.PhoneState(SESSION, "web", "en", AT, SESSION),
        ],
    ),
    notices.PushKeyAnswer(10, "BP" + "x" * 85),
    notices.PhonesAnswer(10, []),
    notices.PhoneForgotten(11, DELIVERY),
    notices.NoticeSettingsAnswer(3, []),
    notices.NoticeSettingsAnswer(3, ["news"], language="en", quiet_from="22:00", quiet_to="07:30"),
    notices.LaddersAnswer(
        5,
        [
            notices.LadderState("payment_received", 10, 300, has_push=True, has_mail=True),
            notices.LadderState("news", 60, 0, has_push=False, has_mail=True, own=True),
        ],
    ),
    notices.LadderSet(6, notices.LadderState("payment_received", 10, 300, has_push=True, has_mail=False, own=True)),
    notices.DeadDeliveriesAnswer(
        7,
        [notices.DeadDelivery(DELIVERY, "apple", "charge_paid", PERSON, 5, AT, AT, code="PayloadTooLarge")],
        next_before=AT,
        next_delivery=DELIVERY,
    ),
    notices.DeadDeliveriesAnswer(7, []),
    notices.DeliveriesRetried(8, [DELIVERY]),
)
