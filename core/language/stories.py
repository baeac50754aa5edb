"""Short stories for a small model to learn from, in English and in Chinese: made up, seeded, and never ending.

Each story has a hero, a friend, a place and one of sixteen courses: what is done early in it decides how it ends (who
leaves the umbrella at home gets wet; who has fewer coins than the kite costs has to work for it). So a model that has
learnt more than spelling can be told by its endings.
"""

import random
from collections.abc import Mapping, Sequence

LANGUAGES = ("en", "zh")
MOST_STORIES = 20_000

Lines = Sequence[Sequence[str]]
"""Sentences, each in several wordings."""

ENGLISH = {
    "heroes": (
        "Mia she her her", "Leo he his him", "Nora she her her", "Sam he his him", "Ada she her her", "Tom he his him",
        "Lily she her her", "Max he his him", "Ruth she her her", "Ben he his him",
    ),
    "friend": ("Anna", "Paul", "Ida", "Oscar", "Rosa", "Felix", "Clara", "Hugo"),
    "place": ("forest", "harbour", "meadow", "old mill", "lake", "park", "hill", "village square"),
    "toy": ("kite", "ball", "paper boat", "wooden horse", "drum", "lantern", "doll", "book"),
    "colour": ("red", "blue", "green", "yellow", "white", "silver"),
    "animal": ("hedgehog", "fox", "swallow", "kitten", "turtle", "squirrel"),
    "plant": ("sunflowers", "beans", "tomatoes", "roses", "pumpkins"),
    "relative": ("grandmother", "grandfather", "mother", "father", "aunt", "uncle"),
    "worker": ("baker", "gardener", "fisherman", "miller", "potter"),
    "season": ("spring", "summer", "autumn", "winter"),
}
CHINESE = {
    "heroes": (
        "小雨 她", "小明 他", "阿福 他", "小兰 她", "冬冬 他", "小月 她", "石头 他", "小梅 她", "大勇 他", "小荷 她",
    ),
    "friend": ("安安", "小北", "阿宝", "青青", "小虎", "朵朵", "阿远", "小舟"),
    "place": ("树林", "码头", "草地", "老磨坊", "湖边", "公园", "山坡", "村口"),
    "toy": ("风筝", "皮球", "纸船", "木马", "小鼓", "灯笼", "布娃娃", "图画书"),
    "colour": ("红色的", "蓝色的", "绿色的", "黄色的", "白色的", "银色的"),
    "animal": ("刺猬", "狐狸", "燕子", "小猫", "乌龟", "松鼠"),
    "plant": ("向日葵", "豆角", "西红柿", "月季", "南瓜"),
    "relative": ("奶奶", "爷爷", "妈妈", "爸爸", "姑姑", "舅舅"),
    "worker": ("面包师", "园丁", "渔夫", "磨坊主", "陶匠"),
    "season": ("春天", "夏天", "秋天", "冬天"),
}
# A course: how it begins, then for each of two causes what comes of it.
ENGLISH_COURSES: dict[str, tuple[Lines, Lines, Lines]] = {
    "lost": (
        (("{hero} had a {colour} {toy} and loved it.", "The {colour} {toy} was {hero}'s dearest thing."),
         ("One {season} morning {he} took it to the {place}.", "In {season} {he} carried it to the {place}.")),
        (("{He} ran so fast that the {toy} fell out of {his} bag.", "{He} ran, and the {toy} fell from {his} bag."),
         ("{He} went back along the path and looked left and right.", "{He} walked the same path again, slowly."),
         ("{friend} had found it on the path and gave it back.", "On the path stood {friend} with the {toy}."),
         ("From then on {hero} closed {his} bag.", "Since that day {he} always ties {his} bag.")),
        (("{He} laid the {toy} under a tree and forgot it.", "{He} put the {toy} down under a tree to rest."),
         ("At home {he} noticed that it was gone.", "In the evening {he} looked for it in vain."),
         ("The next day it still lay under the tree, wet with dew.", "The next day {he} found it under the tree."),
         ("From then on {hero} looked back before {he} left.", "Now {he} looks twice before going home.")),
    ),
    "garden": (
        (("In {season} {hero} planted {plant} behind the house.", "{hero} put seeds of {plant} into the ground."),
         ("{friend} wanted to see them grow.", "{friend} came to help.")),
        (("{He} watered them every evening.", "No evening passed without water."),
         ("The {plant} grew tall and strong.", "Soon the {plant} were higher than {friend}."),
         ("{hero} gave half of them to {friend}.", "They shared the {plant} and were proud.")),
        (("But {he} forgot to water them.", "Then the days were hot, and nobody watered them."),
         ("The leaves of the {plant} turned dry and brown.", "The {plant} hung their heads."),
         ("{friend} carried water from the well, and one of them grew again.", "Only one could be saved with water."),
         ("{hero} learnt that a garden does not wait.", "After that {hero} never forgot the water.")),
    ),
    "rain": (
        (("{hero} and {friend} wanted to go to the {place}.", "One day {hero} and {friend} set out for the {place}."),
         ("Dark clouds stood in the sky.", "The sky was grey and heavy.")),
        (("{hero} took the big umbrella along.", "“We take the umbrella,” said {hero}."),
         ("Halfway it began to rain.", "Then the rain came."),
         ("They walked under the umbrella and stayed dry.", "Under the umbrella both stayed dry."),
         ("At the {place} they laughed about the clouds.", "They reached the {place} with dry shoes.")),
        (("{hero} left the umbrella at home.", "“It will not rain,” said {hero}, and left the umbrella."),
         ("Halfway it began to rain.", "Then the rain came."),
         ("Both were wet to the skin and had to turn back.", "They ran home, wet from head to foot."),
         ("{hero}'s {relative} made hot soup, because {he} had caught a cold.", "{hero} sneezed for a week.")),
    ),
    "cake": (
        (("It was the birthday of {hero}'s {relative}.", "{hero} wanted to surprise {his} {relative}."),
         ("{He} baked a cake with {friend}.", "With {friend} {he} went into the kitchen to bake.")),
        (("{He} tasted the sugar before {he} used it.", "{He} read each jar and took the sugar."),
         ("The cake was sweet and soft.", "The cake came out sweet and golden."),
         ("The {relative} ate three pieces.", "Nothing was left of it in the evening.")),
        (("In a hurry {he} took the salt for the sugar.", "{He} did not look and took salt instead of sugar."),
         ("The cake was so salty that nobody could eat it.", "One bite, and everybody asked for water."),
         ("They laughed and baked another one.", "The {relative} laughed, and they began anew.")),
    ),
    "animal": (
        (("At the {place} {hero} heard a thin voice.", "On the way to the {place} something moved in the grass."),
         ("It was a little {animal}.", "There sat a small {animal}.")),
        (("The {animal} was hungry, so {he} gave it {his} bread.", "It was hungry. {hero} shared {his} bread with it."),
         ("The next day {hero} lost {his} way in the fog.", "Some days later fog came, and {hero} was lost."),
         ("The {animal} came and led {him} home.", "Then the {animal} stood there and showed {him} the way."),
         ("Since then they are friends.", "Who shares bread is never alone.")),
        (("The {animal} was caught in a net, so {he} cut the net.", "A net held it. {hero} cut the net with care."),
         ("The next day {hero} lost the key of the house.", "Some days later {his} key fell into the lake."),
         ("The {animal} brought the key back.", "In the morning the {animal} laid the key before the door."),
         ("Since then they are friends.", "Who helps is helped.")),
    ),
    "promise": (
        (("{hero} went to the {place} to play with {friend}.", "{friend} and {hero} played at the {place}."),
         ("{He} had promised {his} {relative} to be home before dark.",
          "“Be home before dark,” {his} {relative} said.")),
        (("{He} watched the sun, and when it sank {he} left.", "When the sun touched the trees, {he} said goodbye."),
         ("{He} came home in time.", "It was still light when {he} came to the door."),
         ("The supper was warm.", "The {relative} was glad, and the supper was warm.")),
        (("{He} played on and on and forgot the time.", "The game was so fine that {he} did not see the sun sink."),
         ("Then it was dark, and {he} was afraid.", "Suddenly it was dark, and {he} could not see the path."),
         ("The {relative} came with a lamp and found {him}.", "At last a lamp came near: it was the {relative}."),
         ("{hero} said sorry and ate a cold supper.", "The supper was cold, and {hero} kept {his} promise after.")),
    ),
    "market": (
        (("{hero} wanted to buy a {toy} at the market.", "At the market stood a {colour} {toy}, and {hero} wanted it."),
         ("The {toy} cost {price} coins.", "“{Price} coins,” said the seller.")),
        (("{He} had {enough} coins, so {he} could buy it.", "{hero} counted {enough} coins, and that was enough."),
         ("{rest} coins were left.", "{He} went home with the {toy} and {rest} coins."),
         ("{friend} was allowed to play with it, too.", "That day {he} played with {friend} until evening.")),
        (("{He} had only {few} coins, so {he} could not buy it.", "{hero} counted {few} coins, and that was too few."),
         ("{He} worked for the {worker} and got {lack} coins.",
          "The {worker} paid {him} {lack} coins for a day's work."),
         ("Now {he} had {price} coins and bought the {toy}.", "With {price} coins in {his} hand {he} came back.")),
    ),
    "quarrel": (
        (("{hero} and {friend} found a {colour} {toy} at the {place}.", "At the {place} lay a {colour} {toy}."),
         ("Both wanted to have it.", "“It is mine!” cried both.")),
        (("“Let us take turns,” said {hero}.", "{hero} proposed that each should have it for a day."),
         ("So nobody had to cry.", "{friend} agreed at once."),
         ("They played together the whole {season}.", "It became the best {season} of all.")),
        (("They pulled at it until it broke.", "{hero} pulled, {friend} pulled, and the {toy} broke."),
         ("Each went home alone and was sad.", "Both went home without a word."),
         ("The next day {hero} said sorry, and they mended it.", "Then {friend} brought glue, and they mended it."),
         ("Since then they share everything.", "A mended {toy} is better than none.")),
    ),
}  # fmt: skip
CHINESE_COURSES: dict[str, tuple[Lines, Lines, Lines]] = {
    "lost": (
        (("{hero}有一个{colour}{toy}，{he}非常喜欢。", "{hero}最宝贝的东西，是一个{colour}{toy}。"),
         ("{season}的一个早晨，{he}带着它去了{place}。", "{season}到了，{he}把它带到{place}去玩。")),
        (("{he}跑得太快，{toy}从书包里掉了出来。", "{he}一路飞跑，{toy}从书包里滑了出去。"),
         ("{he}沿着原路往回走，边走边找。", "{he}顺着小路慢慢地找回去。"),
         ("{friend}在路上捡到了它，还给了{he}。", "原来{friend}捡到了{toy}，正站在路上等{he}。"),
         ("从此，{hero}总是先把书包扣好。", "从那以后，{he}每次都记得扣紧书包。")),
        (("{he}把{toy}放在树下，走的时候忘了拿。", "{he}累了，把{toy}放在一棵树下，后来就忘了。"),
         ("回到家，{he}才发现{toy}不见了。", "到了晚上，{he}怎么找也找不到。"),
         ("第二天，它还在那棵树下，沾满了露水。", "第二天，{he}在那棵树下找到了它。"),
         ("从此，{hero}离开前总要回头看一看。", "从那以后，{he}走之前都要再看一眼。")),
    ),
    "garden": (
        (("{season}，{hero}在屋后种了{plant}。", "{hero}在院子里种下了{plant}。"),
         ("{friend}想看着它们长大。", "{friend}也跑来帮忙。")),
        (("{he}每天傍晚都浇水。", "{he}没有一天忘记浇水。"),
         ("{plant}长得又高又壮。", "不久，{plant}长得比{friend}还高。"),
         ("{hero}把一半分给了{friend}。", "他们一起分享收成，心里美滋滋的。")),
        (("可是{he}忘了浇水。", "后来天气很热，谁也没有浇水。"),
         ("{plant}的叶子变得又干又黄。", "{plant}都垂下了头。"),
         ("{friend}从井里打来水，只救活了一棵。", "他们赶快浇水，可是只有一棵活了过来。"),
         ("{hero}明白了，种下去就要照看好。", "从那以后，{hero}再也没有忘记浇水。")),
    ),
    "rain": (
        (("{hero}和{friend}想去{place}。", "有一天，{hero}和{friend}一起去{place}。"),
         ("天上乌云密布。", "天色阴沉沉的。")),
        (("{hero}带上了一把大伞。", "“我们带上伞吧。”{hero}说。"),
         ("走到半路，下起了雨。", "不一会儿，雨就来了。"),
         ("他们打着伞，一点儿也没淋湿。", "两个人躲在伞下，身上干干的。"),
         ("到了{place}，他们笑着看雨。", "他们高高兴兴地走到了{place}。")),
        (("{hero}没有带伞。", "“不会下雨的。”{hero}说着，把伞留在了家里。"),
         ("走到半路，下起了雨。", "不一会儿，雨就来了。"),
         ("两个人都淋透了，只好往回走。", "他们从头湿到脚，跑回了家。"),
         ("{hero}着凉了，{relative}给{he}煮了一碗姜汤。", "{hero}打了一个星期的喷嚏。")),
    ),
    "cake": (
        (("今天是{hero}的{relative}的生日。", "{hero}想给{relative}一个惊喜。"),
         ("{he}和{friend}一起做蛋糕。", "{he}叫上{friend}，进厨房做起了蛋糕。")),
        (("{he}先尝了尝糖，再放进去。", "{he}看清了罐子上的字，拿了糖。"),
         ("蛋糕又甜又软。", "蛋糕烤得金黄香甜。"),
         ("{relative}一连吃了三块。", "到了晚上，一块也没有剩下。")),
        (("{he}一着急，把盐当成了糖。", "{he}没有看清楚，放的是盐，不是糖。"),
         ("蛋糕咸得谁也吃不下。", "大家咬了一口，都赶快去喝水。"),
         ("他们笑了一阵，又重新做了一个。", "{relative}哈哈大笑，大家又从头做起。")),
    ),
    "animal": (
        (("{hero}在{place}听见一个细小的声音。", "去{place}的路上，草丛里有什么东西在动。"),
         ("原来是一只小小的{animal}。", "那里蹲着一只{animal}。")),
        (("{animal}饿了，{he}把面包分给它吃。", "它饿坏了，{hero}掏出面包喂它。"),
         ("第二天起了大雾，{hero}迷了路。", "过了几天，{hero}在雾里迷了路。"),
         ("{animal}跑来，带着{he}回了家。", "这时{animal}出现了，给{he}带路。"),
         ("从此，他们成了好朋友。", "肯分享的人，从来不孤单。")),
        (("{animal}被网缠住了，{he}把网剪开。", "一张网缠住了它，{hero}小心地剪开了网。"),
         ("第二天，{hero}丢了家里的钥匙。", "过了几天，{hero}的钥匙掉进了湖里。"),
         ("{animal}把钥匙找了回来。", "早上，{animal}把钥匙放在了门口。"),
         ("从此，他们成了好朋友。", "帮助别人的人，也会得到帮助。")),
    ),
    "promise": (
        (("{hero}去{place}找{friend}玩。", "{friend}和{hero}在{place}玩。"),
         ("{he}答应过{relative}，天黑以前回家。", "“天黑以前要回来。”{relative}说过。")),
        (("{he}看着太阳，太阳一落就往回走。", "太阳碰到树梢的时候，{he}说了再见。"),
         ("{he}按时回到了家。", "{he}走到家门口，天还亮着。"),
         ("晚饭还是热的。", "{relative}很高兴，饭菜还是热的。")),
        (("{he}玩得太高兴，忘了时间。", "{he}只顾着玩，没有看见太阳落山。"),
         ("天黑了，{he}很害怕。", "忽然天就黑了，{he}看不清路。"),
         ("{relative}提着灯找到了{he}。", "远处亮起一盏灯，原来是{relative}来了。"),
         ("{hero}说了对不起，吃了一顿凉了的晚饭。", "晚饭已经凉了，从此{hero}说到做到。")),
    ),
    "market": (
        (("{hero}想在集市上买一个{toy}。", "集市上有一个{colour}{toy}，{hero}很想要。"),
         ("{toy}要{price}个铜板。", "“{price}个铜板。”卖货的人说。")),
        (("{he}有{enough}个铜板，够了。", "{hero}数了数，有{enough}个铜板，买得起。"),
         ("还剩下{rest}个铜板。", "{he}带着{toy}和剩下的{rest}个铜板回家了。"),
         ("{he}让{friend}也玩了一会儿。", "那天，{he}和{friend}一直玩到傍晚。")),
        (("{he}只有{few}个铜板，不够。", "{hero}数了数，只有{few}个铜板，买不起。"),
         ("{he}帮{worker}干活，挣了{lack}个铜板。", "{worker}付给{he}{lack}个铜板的工钱。"),
         ("这下有了{price}个铜板，{he}买下了{toy}。", "{he}拿着{price}个铜板，回来买了{toy}。")),
    ),
    "quarrel": (
        (("{hero}和{friend}在{place}捡到一个{colour}{toy}。",
          "{place}有一个{colour}{toy}，{hero}和{friend}同时看见了。"),
         ("两个人都想要。", "“是我的！”两个人一齐喊。")),
        (("“我们轮流玩吧。”{hero}说。", "{hero}说，一人玩一天。"),
         ("谁也没有哭。", "{friend}马上答应了。"),
         ("整个{season}他们都在一起玩。", "那是最快乐的一个{season}。")),
        (("他们抢来抢去，{toy}坏了。", "{hero}拉，{friend}也拉，{toy}一下子坏了。"),
         ("两个人各自回家，心里都很难过。", "他们一句话也没说，就回家了。"),
         ("第二天，{hero}说了对不起，两个人一起修好了它。", "后来{friend}拿来胶水，他们把它修好了。"),
         ("从此，他们什么都一起分享。", "修好的{toy}，比没有强。")),
    ),
}  # fmt: skip


def stories(language: str, count: int, seed: int) -> list[str]:
    """That many stories, each one line; the same for the same seed."""
    draw = random.Random(f"{language}-{seed}")  # noqa: S311  no secret
    words, courses = (ENGLISH, ENGLISH_COURSES) if language == "en" else (CHINESE, CHINESE_COURSES)
    joint = " " if language == "en" else ""
    return [joint.join(_story(draw, words, courses)) for _ in range(count)]


def _story(
    draw: random.Random, words: Mapping[str, Sequence[str]], courses: Mapping[str, tuple[Lines, Lines, Lines]]
) -> list[str]:
    begins, *endings = courses[draw.choice(list(courses))]
    fields = {name: draw.choice(values) for name, values in words.items() if name != "heroes"}
    fields |= _coins(draw) | _person(draw.choice(words["heroes"]))
    return [draw.choice(line).format(**fields) for line in (*begins, *draw.choice(endings))]


def _person(words: str) -> dict[str, str]:
    """The hero's name and, as far as the language tells them apart, the words that stand for it."""
    name, he, his, him = (*words.split(), "", "")[:4]
    return {"hero": name, "he": he, "He": he.capitalize(), "his": his, "him": him}


def _coins(draw: random.Random) -> dict[str, str]:
    """A price, a purse that is enough and what it leaves, one that is not and what it lacks."""
    price = draw.randint(4, 9)
    enough, few = price + draw.randint(2, 9), draw.randint(2, price - 2)
    numbers = {"price": price, "enough": enough, "rest": enough - price, "few": few, "lack": price - few}
    return {name: str(number) for name, number in numbers.items()} | {"Price": str(price)}
