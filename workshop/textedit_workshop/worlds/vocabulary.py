"""The words with their own token in the shared text encoders.

The token table is cut to these (and to bytes, so that any text encodes). Words of every world are here, so that a new
world brings no new token and no embedding table changes its shape.
"""

from __future__ import annotations

COMMON = """
a an the of with and without no not any other than or in on at by to is are was be that this these who which has have
having wearing looks looking like very more less most much many one two three photo picture image portrait drawing
painting sketch render cartoon close up view scene showing front side top bottom left right behind background backdrop
wall big large huge small tiny little normal regular tall short long wide narrow round pointed square flat thin thick
heavy light dark bright pale deep full empty bare plain clear natural old young new modern ancient color colored colour
coloured size sized black white gray grey silver red orange yellow gold golden green blue purple violet pink brown
crimson emerald sky snow grass rose jet cobalt chestnut ginger cream beige teal turquoise sunny cloudy
"""

FACES = """
face faces person people human man woman boy girl male female head skin complexion tone texture features wrinkles
wrinkled smooth forehead age aged lines elderly youthful hair hairs hairdo hairstyle haircut locks strands bald hairless
scalp cropped cut straight curly wavy frizzy mohawk punk afro bangs ponytail bob blond blonde brunette redhead dyed
expression look mouth mood neutral calm serious happy smiling smile joyful sad unhappy frowning frown angry surprised
amazed shocked open closed glasses eyeglasses spectacles sunglasses shades reading pair uncovered beard bearded
beardless mustache goatee bushy facial clean shaven shaved chin eye eyes iris irises hazel hat cap headwear makeup make
made cosmetics lipstick lips rouge ear ears earring earrings jewelry necklace shirt clothes clothing top sweater dress
tanned tan fair skinned celebrity lady gentleman child kid zombie elf nose cheeks brows eyebrows
"""

CATS = """
cat cats kitten kitty animal feline fur furry coat striped stripes tabby spotted spots patches patched calico tuxedo
siamese persian bengal sphynx fluffy fuzzy hairy shorthair longhair whiskers tail tails paw paws ears folded pointy
sleepy sleeping awake yawning meowing tongue tongues collar bell bow tie ribbon fat chubby slim cute grumpy playful
lying sitting standing cushion carpet basket tiger lion leopard fox wild domestic
"""

CHURCHES = """
church churches cathedral chapel temple building tower towers steeple spire spires dome domes roof roofs tiled thatched
stone brick bricks wood wooden marble gothic baroque romanesque medieval ruined ruins window windows stained glass arch
arched door doors gate gates stairs steps cross clock bells columns facade walls day daytime night nighttime sunset
sunrise dusk dawn noon evening morning rain rainy snowy winter summer autumn spring fog foggy storm stars moon sun
clouds cloud trees tree bushes garden lawn hill mountain mountains lake river sea city street village field lit lights
"""

CARS = """
car cars vehicle automobile sedan coupe hatchback convertible roadster suv jeep van pickup truck bus taxi police sports
racing race vintage classic retro luxury wheel wheels tire tires rims spoke spokes chrome hubcaps headlight headlights
lamp lamps bumper hood trunk roof rack door doors window windows tinted mirror mirrors spoiler stripe stripes decals
paint painted metallic matte shiny rusty dirty clean road street desert parking garage grass beach track forest city
low high lifted fast slow
"""


def vocabulary() -> list[str]:
    """Return every word once, sorted."""
    return sorted({word for text in (COMMON, FACES, CATS, CHURCHES, CARS) for word in text.split()})
