"""Topics, comments and members of the Spirit forum: run by its `manage.py shell`."""

from random import Random

from django.contrib.auth import get_user_model
from spirit.category.models import Category
from spirit.comment.models import Comment
from spirit.topic.models import Topic

WORDS = [
    "coffee",
    "train",
    "garden",
    "report",
    "meeting",
    "lunch",
    "release",
    "weather",
    "harbour",
    "music",
    "window",
    "paper",
    "planet",
    "river",
    "market",
    "summer",
]
TOPICS = 60
random = Random(1)


def words(least: int, most: int) -> str:
    """A text of so many words."""
    return " ".join(random.choices(WORDS, k=random.randint(least, most)))


members = []
for number in range(6):
    member = get_user_model()(
        username=f"user{number}", email=f"user{number}@forum.test", is_active=True
    )
    member.set_password("pass-word-1")
    member.save()
    member.st.is_verified = True
    member.st.save()
    members.append(member)
category = Category.objects.create(title="General")
for _ in range(TOPICS):
    topic = Topic.objects.create(user=random.choice(members), category=category, title=words(5, 5))
    for _ in range(random.randint(3, 18)):
        text = words(20, 120)
        Comment.objects.create(
            user=random.choice(members), topic=topic, comment=text, comment_html=f"<p>{text}</p>"
        )
